// Every screen in both themes and languages: read by axe, and on a phone without a sideways scroll.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { STORE } from "../fake/server";
import { open, type Look } from "./chromium";
import { drop, emptyPlace, ownSale, tapPicture, target } from "./target";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TRAY = readFileSync(join(STORE, "val/val_00001_medium.jpg"));
const LOOKS: Record<string, Look> = {
  "a phone of 360 px, light, English": { width: 360, height: 740, touch: true },
  "a tablet, dark, German": { width: 1180, height: 820, scheme: "dark", language: "de" },
  "a kiosk, light, German": { width: 1080, height: 1920, touch: true, language: "de" },
};

interface Finding {
  id: string;
  impact: string | null;
  nodes: { html: string; failureSummary: string }[];
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")) as Finding[];
  const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}

/** How many px the page is wider than the window. */
const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

for (const [name, look] of Object.entries(LOOKS))
  test(`every screen is right on ${name}`, async () => {
    const counter = await target({ history: true, demo: true });
    const { page, close, strangers, errors } = await open(counter.url, { ...look, camera: join(STORE, "val/val_00001_medium.jpg") });
    const wrong: string[] = [];
    const look_at = async (part: string) => {
      await page.waitForTimeout(150);
      for (const finding of await findings(page)) wrong.push(`${part}: ${finding}`);
      const wider = await sideways(page);
      if (wider > 0) wrong.push(`${part}: ${wider} px wider than the window`);
    };
    const escape = async () => {
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog", { state: "detached" });
    };
    await page.waitForSelector(".stage");
    await page.evaluate(() => localStorage.setItem("counter.preferences", '{"source":"file"}'));
    await page.reload();
    await page.waitForSelector(".stage");
    expect(await page.evaluate(() => [document.documentElement.dataset["theme"], document.documentElement.lang])).toEqual([look.scheme ?? "light", look.language ?? "en"]);
    await look_at("ready");
    await drop(page, TRAY);
    await look_at("counted");
    await page.locator(".line-main").first().click();
    await page.waitForSelector("dialog");
    await look_at("item");
    await page.locator("dialog input").fill("fiz");
    await look_at("search");
    await escape();
    await page.locator(".counter .picture").scrollIntoViewIfNeeded();
    await tapPicture(page, ...emptyPlace(await ownSale(page)));
    await page.waitForSelector("dialog .alternative");
    await look_at("add");
    await escape();
    await page.locator(".list-tools button").last().click();
    await page.waitForSelector(".stage");
    await page.goto(`${counter.url}/#/products`);
    await page.waitForSelector(".product");
    await look_at("products");
    await page.locator(".page-head button.primary").click();
    await page.waitForSelector("dialog");
    await look_at("add a product");
    await escape();
    await page.goto(`${counter.url}/#/sales`);
    await page.waitForSelector(".sale-row");
    await look_at("sales");
    await page.locator(".sale-row").first().click();
    await page.waitForSelector("dialog table");
    await look_at("sale");
    await escape();
    await page.goto(`${counter.url}/#/health`);
    await page.waitForSelector(".figures");
    await look_at("health");
    await page.locator(".top > .quiet").click();
    await page.waitForSelector("dialog .keys");
    await look_at("settings");
    await close();
    counter.stop();
    expect(wrong).toEqual([]);
    expect([...strangers, ...errors]).toEqual([]);
  });
