// Pictures of every screen, for docs/counter.md.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { drop, target } from "../browser/target";
import { open, type Look } from "../browser/chromium";
import { ROOT, STORE } from "../fake/server";

const OUT = join(ROOT, "rpc/serving/web/.pictures");
const TRAY = readFileSync(join(STORE, "val/val_00001_medium.jpg"));
mkdirSync(OUT, { recursive: true });

async function opened(look: Look, camera?: string) {
  const counter = await target({ history: true });
  const found = await open(counter.url, { ...look, camera });
  await found.page.evaluate(() => localStorage.setItem("counter.preferences", '{"source":"file"}'));
  await found.page.reload();
  await found.page.waitForSelector(".stage");
  const shot = async (name: string) => {
    await found.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await found.page.mouse.move(2, 2);
    await found.page.waitForTimeout(400);
    await found.page.screenshot({ path: join(OUT, `counter_${name}.png`) });
  };
  const end = async () => {
    const tray = found.page.locator(".list-tools button").last();
    if (await tray.count()) await tray.click();
    await found.close();
    counter.stop();
  };
  return { ...found, counter, shot, end };
}

test("a tablet, light", async () => {
  const { page, counter, shot, end } = await opened({ width: 1280, height: 800 }, join(STORE, "exemplars/chips_bag_0_camera0-1.jpg"));
  await drop(page, TRAY);
  await shot("counted");
  await page.locator(".line-main").nth(2).click();
  await page.waitForSelector("dialog .alternative");
  await shot("correct");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  while (await page.locator(".question .alternative").count()) {
    const before = await page.locator(".accept").textContent();
    await page.locator(".question .alternative").first().click();
    await page.waitForFunction((text) => document.querySelector(".accept")!.textContent !== text, before);
  }
  await page.locator(".accept").click();
  await page.locator(".toast .round").click();
  await page.goto(`${counter.url}/#/products`);
  await page.waitForSelector(".product");
  await shot("products");
  await page.locator(".page-head button.primary").click();
  for (let taken = 1; taken <= 2; taken += 1) {
    await page.locator(".shoot button.primary:not([disabled])").click();
    await page.waitForFunction((count) => document.querySelectorAll(".shots img").length === count, taken);
  }
  await page.locator("dialog").getByLabel("Title").fill("Crispee Paprika 90 g");
  await page.locator("dialog").getByLabel("Price").fill("2.19");
  await shot("new_product");
  await page.goto(`${counter.url}/#/sales`);
  await page.reload();
  await page.waitForSelector(".sale-row");
  await page.locator(".sale-row", { hasText: "correction" }).first().click();
  await page.waitForSelector("dialog table");
  await shot("sale");
  await page.keyboard.press("Escape");
  await page.goto(`${counter.url}/#/health`);
  await page.waitForSelector(".days");
  await shot("health");
  await end();
});

for (const [name, look] of Object.entries({
  dark: { width: 1280, height: 800, scheme: "dark", language: "de" },
  phone: { width: 360, height: 740, touch: true, scale: 1.5 },
  kiosk: { width: 1080, height: 1920, touch: true },
} satisfies Record<string, Look>))
  test(name, async () => {
    const { page, shot, end } = await opened(look);
    await drop(page, TRAY);
    await shot(name);
    await end();
  });
