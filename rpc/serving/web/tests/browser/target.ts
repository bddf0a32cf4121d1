// What the browser is pointed at: the server at COUNTER_URL, or a stand-in of its own.
import { Fake, serve, type FakeOptions } from "../fake/server";
import type { Page } from "playwright-core";
import type { Item, Sale } from "../../src/api/types";

export const REAL = process.env["COUNTER_URL"];

export interface Target {
  url: string;
  /** The stand-in; null at a real server. */
  fake: Fake | null;
  stop: () => void;
}

export async function target(options: FakeOptions = {}): Promise<Target> {
  if (REAL) return { url: REAL, fake: null, stop: () => undefined };
  const fake = new Fake(options);
  const { server, url } = await serve(fake);
  return {
    url, fake,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** JSON of the API, asked for from inside the page. */
export function ask<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (asked) => (await fetch(asked)).json() as Promise<T>, path);
}

let latest = "";

/** The sale in the page's hands, else the last one that was; a camera at the server may open others meanwhile. */
export async function ownSale(page: Page): Promise<Sale> {
  latest = (await page.evaluate(() => sessionStorage.getItem("counter.sale"))) ?? latest;
  return ask<Sale>(page, `/v1/sales/${latest}`);
}

/** Gives the page a photo as if it had been dropped on it. */
export async function drop(page: Page, photo: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle((base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const made = new DataTransfer();
    made.items.add(new File([bytes], "tray.jpg", { type: "image/jpeg" }));
    return made;
  }, photo.toString("base64"));
  await page.dispatchEvent(".counter", "dragover", { dataTransfer: transfer });
  await page.dispatchEvent(".counter", "drop", { dataTransfer: transfer });
  await page.waitForSelector(".total");
}

/** Taps a place of the picture, in pixels of the photo. */
export async function tapPicture(page: Page, x: number, y: number): Promise<void> {
  const place = await page.locator(".counter .picture").evaluate((picture, [px, py]) => {
    const point = new DOMPoint(px, py).matrixTransform((picture as unknown as SVGSVGElement).getScreenCTM()!);
    return { x: point.x, y: point.y };
  }, [x, y] as const);
  await page.mouse.click(place.x, place.y);
}

/** A place where no item lies, away from the edge. */
export function emptyPlace(sale: Sale): [number, number] {
  const inside = (item: Item, x: number, y: number) =>
    item.box && x > item.box[0] - 5 && x < item.box[2] + 5 && y > item.box[1] - 5 && y < item.box[3] + 5;
  for (let y = 40; y < sale.height - 40; y += 20)
    for (let x = 40; x < sale.width - 40; x += 20) if (!sale.items.some((item) => inside(item, x, y))) return [x, y];
  throw new Error("the tray is full");
}

export interface SavingTimes {
  /** Milliseconds from the tap until its sheet is gone and drawn, by the page's own clock. */
  screen: number;
  request: number;
  /** As the server says; null where it does not. */
  server: number | null;
}

declare global {
  interface Window {
    saving?: Promise<SavingTimes>;
  }
}

/** Measures the next tap on an open sheet, inside the page: the driver of a test needs time of its own for a click. */
export async function watchSaving(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.saving = new Promise((resolve) => {
      const tapped = (event: Event) => {
        const seen = new MutationObserver(() => {
          if (document.querySelector("dialog")) return;
          seen.disconnect();
          requestAnimationFrame(() => {
            const screen = Math.round(performance.now() - event.timeStamp);
            setTimeout(() => {
              const asked = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/corrections"));
              const last = asked.at(-1) as PerformanceResourceTiming;
              const app = last.serverTiming.find(({ name }) => name === "app");
              resolve({ screen, request: Math.round(last.duration), server: app?.duration ?? null });
            }, 100);
          });
        });
        seen.observe(document.body, { childList: true, subtree: true });
      };
      addEventListener("click", tapped, { capture: true, once: true });
    });
  });
}

export function savingTimes(page: Page): Promise<SavingTimes> {
  return page.evaluate(() => window.saving!);
}

/** What the list on the screen says: title and count of each line. */
export function listed(page: Page): Promise<[string, number][]> {
  return page.locator(".counter .line").evaluateAll((lines) =>
    lines.map((line) => [
      line.querySelector(".line-title")!.firstChild!.textContent!,
      Number(line.querySelector(".stepper-value")!.textContent),
    ]));
}
