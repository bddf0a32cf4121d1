// What the counter screen knows of a sale: pure functions of what the API sent.
import type { Alternative, Box, Correction, Item, Product, Sale } from "../api/types";

/** A name this probable is asked as "Is this ...?" instead of "Which one is it?". */
export const NEARLY_SURE = 0.9;
/** Alternatives below this are not offered as large buttons of a question. */
export const WORTH_A_BUTTON = 0.01;

export function openItems(sale: Sale): Item[] {
  return sale.items.filter((item) => item.open);
}

/** The question to show after one was answered or passed over: the next in order, else the first. */
export function questionAfter(sale: Sale, id: number | null): Item | null {
  const open = openItems(sale);
  const ids = sale.items.map((item) => item.id);
  const place = id === null ? -1 : ids.indexOf(id);
  return open.find((item) => ids.indexOf(item.id) > place) ?? open[0] ?? null;
}

/** At least the two best, at most five: what a question offers. */
export function buttonsOf(item: Item): Alternative[] {
  return item.alternatives.slice(0, 5).filter((one, rank) => rank < 2 || one.probability >= WORTH_A_BUTTON);
}

export type Asked = "is_it" | "which" | "view" | "item" | "unknown";

export function askedOf(item: Item): Asked {
  if (item.reason === "view" || item.reason === "item" || item.reason === "unknown") return item.reason;
  return (item.alternatives[0]?.probability ?? 0) >= NEARLY_SURE ? "is_it" : "which";
}

/** The correction that makes an item this SKU: its own SKU is a confirmation. */
export function choose(item: Item, sku: string): Correction {
  return item.sku === sku ? { kind: "confirm", item: item.id } : { kind: "rename", item: item.id, sku };
}

export function area([x1, y1, x2, y2]: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

/** The smallest box around a point, for the finger on overlapping items; null where nothing lies. */
export function itemAt(items: readonly Item[], [x, y]: [number, number]): Item | null {
  const hit = items.filter((item) => {
    if (!item.box) return false;
    const [x1, y1, x2, y2] = item.box;
    return x >= x1 && x <= x2 && y >= y1 && y <= y2;
  });
  return hit.sort((a, b) => area(a.box!) - area(b.box!))[0] ?? null;
}

/** The counted items of a line, least sure first: the one that is most likely meant when a line is corrected. */
export function itemsOfLine(sale: Sale, sku: string): Item[] {
  const own = sale.items.filter((item) => item.sku === sku && item.counted);
  return own.sort((a, b) => (a.probability ?? 1) - (b.probability ?? 1));
}

/** A box with some room around it, square, inside the picture where it can be: what a small picture of an item shows. */
export function cropOf(box: Box, width: number, height: number, room = 0.12): Box {
  const [x1, y1, x2, y2] = box;
  const side = Math.min(Math.max(x2 - x1, y2 - y1) * (1 + 2 * room), Math.max(width, height));
  const start = (low: number, high: number, end: number) =>
    Math.min(Math.max((low + high - side) / 2, 0), Math.max(0, end - side));
  const left = start(x1, x2, width);
  const top = start(y1, y2, height);
  return [left, top, left + side, top + side];
}

/**
 * Whether a correction whose answer was lost had arrived all the same.
 *
 * @param before The sale as it was when the correction was sent.
 * @param now The sale as the server has it.
 */
export function arrived(before: Sale, now: Sale): boolean {
  const told = (sale: Sale) => JSON.stringify([sale.state, sale.corrections, sale.can_undo, sale.items.map((i) => [i.id, i.sku, i.open, i.counted])]);
  return told(before) !== told(now);
}

function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss");
}

function withinOneTypo(word: string, text: string): boolean {
  if (text.includes(word)) return true;
  if (word.length < 4) return false;
  for (let cut = 0; cut < word.length; cut += 1) {
    const [left, right] = [word.slice(0, cut), word.slice(cut + 1)];
    const place = left ? text.indexOf(left) : 0;
    for (let at = place; at >= 0; at = left ? text.indexOf(left, at + 1) : -1) {
      const rest = text.slice(at + left.length);
      if (rest.startsWith(right) || rest.slice(1).startsWith(right)) return true;
      if (!left) {
        if (text.includes(right)) return true;
        break;
      }
    }
  }
  return false;
}

/**
 * Products by title, SKU or EAN, at once and without the server; one typing mistake a word is forgiven.
 *
 * Retired products are left out. Titles that begin with what was typed come first.
 */
export function findProducts(all: readonly Product[], text: string, most = 8): Product[] {
  const words = folded(text).split(/\s+/).filter(Boolean);
  const sold = all.filter((product) => !product.retired);
  if (!words.length) return [];
  const ranked = sold.flatMap((product) => {
    const title = folded(product.title);
    const whole = `${title} ${folded(product.sku)} ${product.ean ?? ""}`;
    if (words.every((word) => whole.includes(word))) return [{ product, rank: title.startsWith(words[0]!) ? 0 : 1 }];
    return words.every((word) => withinOneTypo(word, whole)) ? [{ product, rank: 2 }] : [];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.product.title.localeCompare(b.product.title));
  return ranked.slice(0, most).map(({ product }) => product);
}
