import { expect, test } from "vitest";
import type { Box, Product, Sale } from "../../src/api/types";
import { actionOf, HELP, type Pressed } from "../../src/counter/keys";
import { arrived, askedOf, buttonsOf, choose, cropOf, findProducts, itemAt, itemsOfLine, questionAfter } from "../../src/counter/sale";
import { firstProducts } from "../fake/products";
import { correct, readTray, shown, TRAYS, type Kept } from "../fake/sales";

const products = firstProducts(new Set());
function kept(photo = "val_00001_medium.jpg"): Kept {
  return { ...readTray(photo, 0, 1024, 1024), id: "s1", created: new Date(0) };
}
const view = (sale: Kept): Sale => shown(sale, products);

test("questions come one after the other, and the first again at the end", () => {
  const sale = view(kept());
  const open = sale.items.filter((item) => item.open).map((item) => item.id);
  expect(open.length).toBeGreaterThan(2);
  expect(questionAfter(sale, null)?.id).toBe(open[0]);
  expect(questionAfter(sale, open[0]!)?.id).toBe(open[1]);
  expect(questionAfter(sale, open.at(-1)!)?.id).toBe(open[0]);
  expect(questionAfter(view(kept("val_00003_easy.jpg")), null)).toBeNull();
});

test("a question offers two to five buttons, and asks plainly where one name is nearly sure", () => {
  for (const tray of TRAYS)
    for (const item of view(kept(tray.photo)).items.filter(({ open }) => open)) {
      const offered = buttonsOf(item).length;
      expect(offered).toBeGreaterThanOrEqual(2);
      expect(offered).toBeLessThanOrEqual(5);
      expect(askedOf(item)).toBe(item.alternatives[0]!.probability >= 0.9 ? "is_it" : "which");
    }
});

test("each reason of a question has its own words, whatever is likely", () => {
  const item = view(kept()).items[0]!;
  for (const reason of ["view", "item", "unknown"] as const) expect(askedOf({ ...item, reason })).toBe(reason);
});

test("the product that was read is confirmed, another one renames", () => {
  const item = view(kept()).items[0]!;
  expect(choose(item, item.sku)).toEqual({ kind: "confirm", item: item.id });
  expect(choose(item, "other")).toEqual({ kind: "rename", item: item.id, sku: "other" });
});

test("a tap takes the smallest box around it, and none beside all", () => {
  const item = view(kept()).items[0]!;
  const boxes: Box[] = [[0, 0, 100, 100], [20, 20, 60, 60], [50, 50, 400, 400]];
  const items = boxes.map((box, id) => ({ ...item, id, box }));
  expect(itemAt(items, [55, 55])?.id).toBe(1);
  expect(itemAt(items, [90, 90])?.id).toBe(0);
  expect(itemAt(items, [500, 500])).toBeNull();
  expect(itemAt([{ ...item, box: null }], [5, 5])).toBeNull();
});

test("a line is corrected at its least sure item", () => {
  const sale = view(kept());
  for (const line of sale.lines) {
    const items = itemsOfLine(sale, line.sku);
    expect(items).toHaveLength(line.count);
    const sure = items.map((item) => item.probability ?? 1);
    expect(sure).toEqual([...sure].sort((a, b) => a - b));
  }
});

test("the cut-out of an item is square, holds it and stays in the picture", () => {
  for (const box of [[0, 0, 10, 40], [1000, 500, 1024, 520], [100, 100, 900, 300]] as Box[]) {
    const [x1, y1, x2, y2] = cropOf(box, 1024, 1024);
    expect(x2 - x1).toBeCloseTo(y2 - y1);
    expect(Math.min(x1, y1)).toBeGreaterThanOrEqual(0);
    expect(Math.max(x2, y2)).toBeLessThanOrEqual(1024);
    expect(x1 <= box[0] && y1 <= box[1] && x2 >= box[2] && y2 >= box[3]).toBe(true);
  }
});

test("a correction whose answer was lost is seen to have arrived, whatever its kind", () => {
  const corrections = [
    { kind: "rename", item: 1, sku: "soda_can_0" }, { kind: "remove", item: 1 }, { kind: "confirm", item: 2 },
    { kind: "add", sku: "soda_can_0", box: null }, { kind: "count", sku: "soda_can_1", count: 1 },
  ] as const;
  for (const correction of corrections) {
    const sale = kept();
    const before = view(sale);
    expect(arrived(before, view(sale))).toBe(false);
    correct(sale, correction, products);
    expect(arrived(before, view(sale)), correction.kind).toBe(true);
    const corrected = view(sale);
    correct(sale, { kind: "undo" }, products);
    expect(arrived(corrected, view(sale)), "undo").toBe(true);
    expect(view(sale).items).toEqual(before.items);
  }
});

test("products are found by parts, without accents, with one typing mistake", () => {
  const product = (title: string, more: Partial<Product> = {}): Product => ({
    sku: title, title, price_cents: 1, ean: null, retired: false, in_model: true, photos: 0, photo: null, changed_at: "", ...more,
  });
  const all = [product("Crème Brûlée"), product("Ice Crème"), product("Weißbier", { ean: "4001234567890" }), product("Crème alt", { retired: true })];
  const titles = (text: string) => findProducts(all, text).map(({ title }) => title);
  expect(titles("creme")).toEqual(["Crème Brûlée", "Ice Crème"]);
  expect(titles("BRULE cre")).toEqual(["Crème Brûlée"]);
  expect(titles("weissbeir")).toEqual([]);
  expect(titles("weissbxier")).toEqual(["Weißbier"]);
  expect(titles("brulxe")).toEqual(["Crème Brûlée"]);
  expect(titles("345678")).toEqual(["Weißbier"]);
  expect(titles("")).toEqual([]);
});

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key, code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more,
});

test("keys act, but never while somebody types, and a button keeps its own keys", () => {
  expect(actionOf(press("3"), false, false, true)).toEqual({ do: "answer", number: 3 });
  expect(actionOf(press("Enter"), false, false, true)).toEqual({ do: "accept" });
  expect(actionOf(press("Enter"), false, true, true)).toBeNull();
  expect(actionOf(press("u"), true, false, true)).toBeNull();
  expect(actionOf(press("u"), false, false, false)).toBeNull();
  expect(actionOf(press("z", { ctrlKey: true }), false, true, false)).toEqual({ do: "undo" });
  expect(actionOf(press("z", { ctrlKey: true }), true, false, true)).toBeNull();
  expect(actionOf(press("c", { ctrlKey: true }), false, false, true)).toBeNull();
  expect(actionOf(press("¡", { altKey: true, code: "Digit2" }), false, false, false)).toEqual({ do: "screen", number: 2 });
  expect(HELP.length).toBeGreaterThan(8);
});
