// Sales of the fake: counted from receipts of the example store, corrected as the API's contract says.
import type { Box, Correction, Item, Line, Product, Reason, Sale, SaleState } from "../../src/api/types";
import kept from "./trays.json";

type Pair = [string, number];
interface Receipt {
  photo: string;
  certainty: number;
  passes: boolean;
  items: { sku: string; title: string; box: number[]; alternatives: Pair[]; doubtful: boolean; probability: number | null }[];
  questions: { box: number[]; reason: string; text: string; counted: boolean; sku: string; alternatives: Pair[] }[];
}
export const TITLES = kept.titles as Record<string, string>;
export const TRAYS = kept.trays as unknown as Receipt[];

export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** A sale with everything the API does not show: removed items and the lists before each correction. */
export interface Kept {
  id: string;
  state: SaleState;
  created: Date;
  accepted: Date | null;
  width: number;
  height: number;
  certainty: number;
  items: (Item & { removed?: boolean })[];
  before: string[];
  corrections: number;
  picture: Buffer | null;
}

const named = (pairs: Pair[]) =>
  pairs.map(([sku, probability]) => ({ sku, title: TITLES[sku] ?? sku, probability }));

/** What the counter reads of a photo: the receipt of that tray, else of `number`, laid over the photo's size. */
export function readTray(photo: string | null, number: number, width: number, height: number): Omit<Kept, "id" | "created"> {
  const receipt = TRAYS.find((tray) => tray.photo === photo) ?? TRAYS[number % TRAYS.length]!;
  const [sx, sy] = [width / 1024, height / 1024];
  const scaled = (box: number[]): Box => [box[0]! * sx, box[1]! * sy, box[2]! * sx, box[3]! * sy];
  const asked = (box: number[]) => receipt.questions.find((one) => one.box.join() === box.join());
  const items: Item[] = receipt.items.map((item, row) => {
    const question = asked(item.box);
    return {
      id: row + 1, sku: item.sku, title: item.title, price_cents: null, box: scaled(item.box), probability: item.probability,
      counted: true, open: !!question, reason: (question?.reason as Reason) ?? null, text: question?.text ?? "",
      alternatives: named(item.alternatives), source: "counted",
    };
  });
  for (const question of receipt.questions.filter((one) => !one.counted))
    items.push({
      id: items.length + 1, sku: question.sku, title: TITLES[question.sku] ?? question.sku, price_cents: null,
      box: scaled(question.box), probability: question.alternatives[0]?.[1] ?? null, counted: false, open: true,
      reason: question.reason as Reason, text: question.text, alternatives: named(question.alternatives), source: "counted",
    });
  return {
    state: "open", accepted: null, width, height, certainty: receipt.certainty, items, before: [], corrections: 0, picture: null,
  };
}

/** The sale as the API shows it. */
export function shown(sale: Kept, products: Map<string, Product>): Sale {
  const price = (sku: string) => products.get(sku)?.price_cents ?? null;
  const items = sale.items
    .filter((item) => !item.removed)
    .map(({ removed: _, ...item }) => ({ ...item, title: products.get(item.sku)?.title ?? item.title, price_cents: price(item.sku) }))
    .sort((a, b) => Number(b.open) - Number(a.open) || (b.probability ?? 0) - (a.probability ?? 0));
  const lines = new Map<string, Line>();
  for (const item of items.filter(({ counted }) => counted)) {
    const line = lines.get(item.sku) ?? { sku: item.sku, title: item.title, count: 0, price_cents: item.price_cents, sum_cents: null };
    line.count += 1;
    if (line.price_cents !== null) line.sum_cents = line.count * line.price_cents;
    lines.set(item.sku, line);
  }
  const questions = items.filter(({ open }) => open).length;
  return {
    id: sale.id, state: sale.state, created_at: sale.created.toISOString(), accepted_at: sale.accepted?.toISOString() ?? null,
    till: "till 1", by: "Mira", currency: "EUR", picture: sale.picture ? `/v1/sales/${sale.id}/picture` : null,
    width: sale.width, height: sale.height, seconds: 0.24, certainty: sale.certainty, passes: questions === 0, questions,
    corrections: sale.corrections, can_undo: sale.before.length > 0 && sale.state === "open", items,
    lines: [...lines.values()].sort((a, b) => a.title.localeCompare(b.title)),
    total_cents: [...lines.values()].reduce((sum, line) => sum + (line.sum_cents ?? 0), 0),
    unpriced: items.filter((item) => item.counted && item.price_cents === null).length,
    lines_count: lines.size, items_count: items.filter(({ counted }) => counted).length,
  };
}

const KINDS = { rename: "renamed", remove: "removed", confirm: "confirmed", add: "added", count: "count", undo: "undone" } as const;

/** Applies a correction and returns the data of its event. */
export function correct(sale: Kept, correction: Correction, products: Map<string, Product>): Record<string, unknown> {
  if (sale.state !== "open") throw new Refusal(409, "not_open", "This sale is not open any more: reopen it first.");
  const told = { schema: 1, kind: KINDS[correction.kind], item: "item" in correction ? correction.item : null };
  if (correction.kind === "undo") {
    const before = sale.before.pop();
    if (!before) throw new Refusal(409, "nothing_to_undo", "There is no correction to undo.");
    sale.items = JSON.parse(before) as Kept["items"];
    sale.corrections -= 1;
    return told;
  }
  const copy = JSON.stringify(sale.items);
  const data = apply(sale, correction, products);
  sale.before.push(copy);
  sale.corrections += 1;
  return { ...told, ...data };
}

function apply(sale: Kept, correction: Exclude<Correction, { kind: "undo" }>, products: Map<string, Product>) {
  const known = (sku: string) => {
    const product = products.get(sku);
    if (!product) throw new Refusal(404, "not_found", `There is no product ${sku}.`);
    return product;
  };
  const fresh = (sku: string, box: Box | null): Item => ({
    id: Math.max(0, ...sale.items.map(({ id }) => id)) + 1, sku, title: known(sku).title, price_cents: null, box, probability: null,
    counted: true, open: false, reason: null, text: "", alternatives: [], source: "added",
  });
  if (correction.kind === "add") {
    sale.items.push(fresh(correction.sku, correction.box));
    return { sku: correction.sku, sku_before: null, box: correction.box };
  }
  if (correction.kind === "count") {
    const own = sale.items.filter((item) => item.sku === correction.sku && item.counted && !item.removed);
    own.sort((a, b) => Number(a.box !== null) - Number(b.box !== null) || (a.probability ?? 0) - (b.probability ?? 0));
    for (const item of own.slice(0, Math.max(0, own.length - correction.count))) item.removed = true;
    for (let missing = correction.count - own.length; missing > 0; missing -= 1) sale.items.push(fresh(correction.sku, null));
    return { sku: correction.sku, sku_before: correction.sku };
  }
  const item = sale.items.find(({ id, removed }) => id === correction.item && !removed);
  if (!item) throw new Refusal(404, "not_found", "This item is not on the tray any more.");
  const before = item.sku;
  item.open = false;
  if (correction.kind === "remove") item.removed = true;
  else item.counted = true;
  if (correction.kind === "rename") {
    item.title = known(correction.sku).title;
    item.sku = correction.sku;
  }
  return { sku: correction.kind === "remove" ? null : item.sku, sku_before: before, box: item.box };
}

/** What may lie at a point: a box around it, and the products of its nearest neighbour. */
export function suggest(sale: Kept, [x, y]: [number, number]) {
  const side = Math.min(sale.width, sale.height) * 0.09;
  const near = sale.items.filter((item) => item.box && item.alternatives.length);
  const gap = ({ box }: Item) => Math.hypot((box![0] + box![2]) / 2 - x, (box![1] + box![3]) / 2 - y);
  const alternatives = near.sort((a, b) => gap(a) - gap(b))[0]?.alternatives ?? [];
  const box: Box = [Math.max(0, x - side), Math.max(0, y - side), Math.min(sale.width, x + side), Math.min(sale.height, y + side)];
  return { box, alternatives: alternatives.map((one, rank) => ({ ...one, probability: [0.62, 0.21, 0.1, 0.04, 0.02][rank] ?? 0 })) };
}
