// Products of the fake: those of the example store with invented prices.
import type { Product } from "../../src/api/types";
import { Refusal, TITLES } from "./sales";

const PRICES: Record<string, number> = { soda_can: 119, chips_bag: 189, cup_noodle: 149 };
const CHANGED = "2026-01-05T08:00:00Z";

export function firstProducts(photos: Set<string>): Map<string, Product> {
  const made = Object.entries(TITLES).map(([sku, title], row): Product => {
    const family = sku.replace(/_\d+$/, "");
    return {
      sku, title, price_cents: (PRICES[family] ?? 99 + 37 * (row % 9)) + 10 * (row % 4), ean: `40${String(10_000_000_000 + row * 7_919)}`.slice(0, 13),
      retired: false, in_model: true, photos: photos.has(sku) ? 10 : 0, photo: photos.has(sku) ? `/v1/products/${sku}/photo` : null,
      changed_at: CHANGED,
    };
  });
  return new Map(made.map((product) => [product.sku, product]));
}

export function csvOf(products: Iterable<Product>): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [...products].map(({ sku, title, price_cents: cents, ean, retired }) =>
    [sku, cell(title), cents === null ? "" : (cents / 100).toFixed(2), ean ?? "", String(retired)].join(","));
  return ["sku,title,price,ean,retired", ...rows].join("\n") + "\n";
}

export function readCsv(text: string, products: Map<string, Product>) {
  const told = { added: 0, changed: 0, unchanged: 0 };
  const rows = text.trim().split(/\r?\n/).slice(1).map((line, row) => {
    const [sku, title, price, ean, retired] = line.split(",") as (string | undefined)[];
    if (!sku || !title || (price && !/^\d+\.\d\d$/.test(price)))
      throw new Refusal(422, "csv_wrong", `Line ${row + 2}: expected sku,title,price,ean,retired with a price such as 2.49. Nothing was changed.`);
    const cents = price ? Math.round(Number(price) * 100) : null;
    return { sku, title, price_cents: cents, ean: ean || null, retired: retired === "true" };
  });
  for (const row of rows) {
    const before = products.get(row.sku);
    const same = before && Object.entries(row).every(([name, value]) => before[name as keyof Product] === value);
    told[before ? (same ? "unchanged" : "changed") : "added"] += 1;
    products.set(row.sku, { ...(before ?? { in_model: false, photos: 0, photo: null }), ...row, changed_at: new Date().toISOString() });
  }
  return told;
}
