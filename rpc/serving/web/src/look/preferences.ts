// What a person chose, kept in this browser: language, theme, source of photos, shortcuts.
import { store } from "./store";

export type Language = "en" | "de";
export type Theme = "system" | "light" | "dark";
export type PhotoSource = "device" | "server" | "file";

export interface Preferences {
  language: Language;
  theme: Theme;
  source: PhotoSource | null;
  device: string;
  shortcuts: boolean;
}

const KEY = "counter.preferences";

/** Preferences out of stored text; anything unknown falls back, so that old or broken text does no harm. */
export function readPreferences(text: string | null, languages: readonly string[]): Preferences {
  let kept: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    if (parsed && typeof parsed === "object") kept = parsed as Record<string, unknown>;
  } catch {
    kept = {};
  }
  const one = <T extends string>(value: unknown, known: readonly T[], other: T) =>
    known.includes(value as T) ? (value as T) : other;
  const own: Language = languages.some((name) => /^de\b/i.test(name)) && !/^en\b/i.test(languages[0] ?? "") ? "de" : "en";
  return {
    language: one(kept["language"], ["en", "de"], own),
    theme: one(kept["theme"], ["system", "light", "dark"], "system"),
    source: one<PhotoSource | "">(kept["source"], ["device", "server", "file"], "") || null,
    device: typeof kept["device"] === "string" ? kept["device"] : "",
    shortcuts: kept["shortcuts"] !== false,
  };
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage can be switched off
  }
}

export const preferences = store<Preferences>(
  readPreferences(
    typeof localStorage === "undefined" ? null : stored(),
    typeof navigator === "undefined" ? ["en"] : navigator.languages,
  ),
);

export function prefer(change: Partial<Preferences>): void {
  preferences.set((before) => ({ ...before, ...change }));
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.get()));
  } catch {
    // not kept then: the page works without
  }
}

/** Keeps the page's theme and language as chosen; the system's theme where none was. */
export function followPreferences(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const { theme, language } = preferences.get();
    document.documentElement.dataset["theme"] = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    document.documentElement.lang = language;
  };
  dark.addEventListener("change", show);
  preferences.watch(show);
  show();
}
