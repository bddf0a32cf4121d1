import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPreferences } from "../../src/look/preferences";
import { boundsOf, percent } from "../../src/text/dates";
import { TEXTS, translate, type Key, type Message } from "../../src/text/translate";

const keys = Object.keys(TEXTS.en) as Key[];
const forms = (message: Message) => (typeof message === "string" ? [message] : [message.one, message.other]);
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

test("both languages have the same keys, none empty, with the same holes", () => {
  expect(Object.keys(TEXTS.de)).toEqual(keys);
  for (const key of keys) {
    const [english, german] = [forms(TEXTS.en[key]), forms(TEXTS.de[key])];
    expect(german.length, key).toBe(english.length);
    for (const [place, text] of english.entries()) {
      expect(text.trim(), key).not.toBe("");
      expect(holes(german[place]!), key).toEqual(holes(text));
    }
  }
});

test("every key that the sources name is there, and every key is named", () => {
  const root = join(import.meta.dirname, "../../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name) && !name.startsWith("text"));
  const source = files.map((name) => readFileSync(join(root, name), "utf8")).join("\n");
  const asked = [...source.matchAll(/\bt\(\s*"([\w.]+)"/g)].map((found) => found[1]!);
  expect(asked.filter((key) => !keys.includes(key as Key))).toEqual([]);
  const begins = [...source.matchAll(/`([\w]+\.(?:\w+\.)?)\$\{/g)].map((found) => found[1]!);
  const unused = keys.filter((key) => !source.includes(`"${key}"`) && !begins.some((start) => key.startsWith(start)));
  expect(unused).toEqual([]);
});

test("one and many are told apart", () => {
  expect(translate("en", "said.items", { count: 1 })).toBe("1 item");
  expect(translate("en", "said.items", { count: 0 })).toBe("0 items");
  expect(translate("de", "said.questions", { count: 1234 })).toBe("1.234 Fragen offen");
});

test("a name that holds braces or a dollar is not read as a hole", () => {
  expect(translate("en", "corrected.added", { sku: "{count} $& tea" })).toBe("{count} $& tea added");
});

test("shares are never rounded to certain or impossible", () => {
  expect([1, 0.999, 0.5, 0.004, 0].map((share) => percent(share, "en"))).toEqual(["100%", "> 99%", "50%", "< 1%", "0%"]);
});

test("a day is bounded by local midnights, and no day is none", () => {
  const bounds = boundsOf("2026-03-01")!;
  expect(new Date(bounds.from).getHours()).toBe(0);
  expect(Date.parse(bounds.to) - Date.parse(bounds.from)).toBe(86_400_000);
  expect(boundsOf("")).toBeNull();
});

test("broken preferences fall back, and the browser's language is followed", () => {
  expect(readPreferences("{", ["de-AT", "en"]).language).toBe("de");
  expect(readPreferences('{"language":"fr","theme":"neon","shortcuts":false}', ["en", "de"])).toEqual({
    language: "en", theme: "system", source: null, device: "", shortcuts: false,
  });
});
