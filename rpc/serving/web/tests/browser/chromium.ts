// A real Chromium with its own profile; a camera that plays a file; every request counted.
import { mkdtempSync, writeFileSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export interface Look {
  width?: number;
  height?: number;
  touch?: boolean;
  scheme?: "light" | "dark";
  language?: "en" | "de";
  /** A JPEG that the camera shows; without one there is no camera. */
  camera?: string;
  deny?: boolean;
  scale?: number;
}

export interface Opened {
  page: Page;
  context: BrowserContext;
  /** Addresses of other hosts that the page asked for. */
  strangers: string[];
  /** What the page wrote as errors, and what its content policy forbade. */
  errors: string[];
  close: () => Promise<void>;
}

export async function open(url: string, look: Look = {}): Promise<Opened> {
  const profile = mkdtempSync(join(tmpdir(), "counter-"));
  const camera = join(profile, "camera.mjpeg");
  if (look.camera) writeFileSync(camera, readFileSync(look.camera));
  const context = await chromium.launchPersistentContext(join(profile, "profile"), {
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    headless: true,
    args: [
      ...ARGS,
      ...(look.camera ? ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`] : []),
      ...(look.deny ? [] : ["--use-fake-ui-for-media-stream"]),
    ],
    viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
    deviceScaleFactor: look.scale ?? 1,
    hasTouch: look.touch ?? false,
    colorScheme: look.scheme ?? "light",
    locale: look.language ?? "en",
    reducedMotion: "reduce",
  });
  const strangers: string[] = [];
  const errors: string[] = [];
  await context.route(
    (asked) => asked.origin !== new URL(url).origin && !["blob:", "data:"].includes(asked.protocol),
    (route) => {
      strangers.push(route.request().url());
      return route.abort();
    },
  );
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => /Content Security Policy|Refused to/.test(message.text()) && errors.push(message.text()));
  await page.goto(url);
  return {
    page, context, strangers, errors,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
