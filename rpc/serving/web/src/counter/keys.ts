// Keys of the counter screen: which action a key stands for, and the list that the help shows.
import type { Key } from "../text/translate";

export type Action =
  | { do: "answer"; number: number }
  | { do: "take" | "accept" | "add" | "undo" | "remove" | "next" | "previous" | "open" | "void" | "help" }
  | { do: "screen"; number: number };

export interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

const SINGLE: Record<string, Exclude<Action, { number: number }>["do"]> = {
  " ": "take", Enter: "accept", "+": "add", a: "add", "/": "add", u: "undo", z: "undo", Delete: "remove", Backspace: "remove",
  ArrowDown: "next", ArrowUp: "previous", e: "open", x: "void", "?": "help",
};

/**
 * The action of a key, or null.
 *
 * @param inField A text field has the focus: then only keys with Ctrl or Alt act.
 * @param onControl A button, link or tab has the focus: Space and Enter are its own.
 * @param single Whether single keys act at all; they can be switched off (WCAG 2.1.4).
 */
export function actionOf(pressed: Pressed, inField: boolean, onControl: boolean, single: boolean): Action | null {
  const { key, code, altKey } = pressed;
  const command = pressed.ctrlKey || pressed.metaKey;
  if (command && !altKey) {
    if (inField) return null;
    if (key.toLowerCase() === "z") return { do: "undo" };
    return key === "Enter" ? { do: "accept" } : null;
  }
  if (altKey && /^Digit[1-4]$/.test(code)) return { do: "screen", number: Number(code.at(-1)) };
  if (altKey || inField || !single) return null;
  if (onControl && (key === " " || key === "Enter")) return null;
  if (/^[1-5]$/.test(key)) return { do: "answer", number: Number(key) };
  const named = SINGLE[key.length === 1 ? key.toLowerCase() : key];
  return named ? { do: named } : null;
}

export const HELP: readonly [string[], Key][] = [
  [["Space"], "keys.take"],
  [["1", "–", "5"], "keys.answer"],
  [["↑", "↓"], "keys.move"],
  [["E"], "keys.open"],
  [["Delete"], "keys.remove"],
  [["+"], "keys.add"],
  [["U", "Ctrl Z"], "keys.undo"],
  [["Enter"], "keys.accept"],
  [["X"], "keys.void"],
  [["Alt 1", "–", "4"], "keys.screen"],
  [["?"], "keys.help"],
];
