// What only a stand-in can play: answers that get lost, a key that is asked for, a camera at the server, one that is refused.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { STORE } from "../fake/server";
import { open } from "./chromium";
import { drop, REAL, target } from "./target";

const TRAY = readFileSync(join(STORE, "val/val_00001_medium.jpg"));

describe.skipIf(REAL)("the stand-in", () => {
  test("an answer that is lost on its way makes nothing happen twice", async () => {
    const counter = await target();
    const { page, close } = await open(counter.url);
    await page.waitForSelector(".stage");
    counter.fake!.loseAnswers = 1;
    await drop(page, TRAY);
    expect(counter.fake!.sales).toHaveLength(1);
    const items = counter.fake!.sales[0]!.items.length;
    counter.fake!.loseAnswers = 1;
    await page.locator(".list-tools button").first().click();
    await page.locator("dialog input").fill("fizzo");
    await page.locator("dialog .find-row").first().click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(counter.fake!.sales[0]!.items).toHaveLength(items + 1);
    counter.fake!.loseAnswers = 1;
    await page.locator(".accept").click();
    await page.waitForSelector(".stage");
    expect(counter.fake!.sales[0]!.state).toBe("accepted");
    expect(await page.locator(".toast.problem").count()).toBe(0);
    await close();
    counter.stop();
  });

  test("a key is asked for once, a wrong one is told, and a sale goes on", async () => {
    const counter = await target({ needsKey: true });
    const { page, close } = await open(counter.url);
    const field = page.locator("input[type=password]");
    await field.fill("wrong");
    await field.press("Enter");
    await expect.poll(() => page.locator("#login-wrong").textContent()).toContain("not known");
    await field.fill("till-key");
    await field.press("Enter");
    await page.waitForSelector(".stage");
    await drop(page, TRAY);
    await page.locator(".accept").click();
    await page.waitForSelector(".stage");
    expect(counter.fake!.sales[0]!.state).toBe("accepted");
    await close();
    counter.stop();
  });

  test("a tray that the server's camera read is shown by itself, and its successor where somebody changed the tray", async () => {
    const counter = await target({ camera: "server" });
    const { page, close } = await open(counter.url);
    await page.waitForSelector(".view img");
    await page.waitForFunction(() => document.querySelector(".tray-state")!.textContent!.includes("reading"));
    await page.waitForTimeout(500); // the stream of events is open
    const first = counter.fake!.count(TRAY);
    await page.waitForSelector(".total");
    first.state = "void";
    counter.fake!.emit("sale.voided", first.id);
    await page.waitForSelector(".stage");
    const second = counter.fake!.count(TRAY);
    await page.waitForSelector(".total");
    await page.locator(".accept").click();
    await page.waitForSelector(".stage");
    expect(second.state).toBe("accepted");
    await page.locator(".stage-foot button", { hasText: "Count tray" }).click();
    await page.waitForSelector(".total");
    expect(counter.fake!.sales).toHaveLength(3);
    await close();
    counter.stop();
  });

  test("a camera that may not be used is told with what to do", async () => {
    const counter = await target();
    const { page, close } = await open(counter.url, { deny: true });
    await page.locator(".stage .choices button", { hasText: "This device" }).click();
    const note = page.locator(".view-note[role=alert]");
    await note.waitFor();
    expect((await note.textContent())!.length).toBeGreaterThan(30);
    await close();
    counter.stop();
  });
});
