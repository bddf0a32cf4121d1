// Keys of the counter at work.
import { useEffect, useRef } from "preact/hooks";
import type { Item } from "../api/types";
import { preferences } from "../look/preferences";
import { actionOf } from "./keys";
import { accept, askAbout, correct, discard, openAdd, openItem, work } from "./work";

export interface KeysProps {
  take: () => void;
  answer: (number: number) => void;
  /** A sheet is open: keys of the page rest, but for answers. */
  sheet: boolean;
  focus: Item | null;
  onHelp: () => void;
}

export const SCREENS = ["counter", "products", "sales", "health"] as const;

export function useCounterKeys(props: KeysProps): void {
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      const inField = !!target.closest("input:not([type=file]), textarea, select");
      const onControl = !!target.closest("button, a, [role=option], summary");
      const action = actionOf(event, inField, onControl, preferences.get().shortcuts);
      if (!action || event.repeat) return;
      const { take, answer, sheet, focus, onHelp } = latest.current;
      const { sale } = work.get();
      if (action.do === "answer") {
        event.preventDefault();
        return answer(action.number);
      }
      if (document.querySelector("dialog[open]") || sheet || action.do === "screen") return;
      event.preventDefault();
      if (action.do === "help") return onHelp();
      if (action.do === "take") return take();
      if (!sale) return;
      if (action.do === "accept") void accept();
      else if (action.do === "add") openAdd();
      else if (action.do === "undo") sale.can_undo && void correct({ kind: "undo" });
      else if (action.do === "void") void discard();
      else if (action.do === "remove") focus && void correct({ kind: "remove", item: focus.id });
      else if (action.do === "open") (focus ?? sale.items[0]) && openItem((focus ?? sale.items[0])!);
      else if (action.do === "next" || action.do === "previous") {
        const open = sale.items.filter((item) => item.open);
        const place = open.findIndex((item) => item.id === focus?.id);
        const step = action.do === "next" ? 1 : -1;
        askAbout(open[(place + step + open.length) % open.length] ?? focus);
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
