// Texts of the page by language; every language has the keys of English (the compiler asks for it).
import { preferences, type Language } from "../look/preferences";
import { useStore } from "../look/store";
import { de } from "./de";
import { en } from "./en";

export type Message = string | { one: string; other: string };
export type Key = keyof typeof en;

export const TEXTS: Record<Language, Record<Key, Message>> = { en, de };

type Values = Record<string, string | number>;

/** The text of a key; `count` chooses between one and many; `{name}` is filled in. Unknown keys come back as they are. */
export function translate(language: Language, key: Key, values: Values = {}): string {
  const message: Message | undefined = TEXTS[language][key];
  if (message === undefined) return key;
  const text =
    typeof message === "string"
      ? message
      : message[new Intl.PluralRules(language).select(Number(values["count"] ?? 0)) === "one" ? "one" : "other"];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}

/** Translates into the language that is chosen now. */
export function t(key: Key, values?: Values): string {
  return translate(preferences.get().language, key, values);
}

/** The chosen language; the component is drawn again when it changes. */
export function useLanguage(): Language {
  return useStore(preferences).language;
}
