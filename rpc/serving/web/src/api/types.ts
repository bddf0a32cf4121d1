// What the HTTP API says: see docs of rpc.serving. Money in cents, times in UTC, boxes in pixels.

export type Box = [number, number, number, number];
export type Role = "manager" | "till";

export interface Settings {
  shop: string;
  till: string;
  currency: string;
  version: string;
  model: string;
  role: Role | null;
  needs_key: boolean;
  camera: "none" | "server";
  can_add_products: boolean;
  demo: boolean;
  keep_days: number;
  languages: string[];
  today: { trays: number; total_cents: number };
}

export interface Alternative {
  sku: string;
  title: string;
  probability: number;
}

export type Reason = "view" | "name" | "item" | "unknown";

export interface Item {
  id: number;
  sku: string;
  title: string;
  price_cents: number | null;
  box: Box | null;
  probability: number | null;
  counted: boolean;
  open: boolean;
  reason: Reason | null;
  text: string;
  alternatives: Alternative[];
  source: "counted" | "added";
}

export interface Line {
  sku: string;
  title: string;
  count: number;
  price_cents: number | null;
  sum_cents: number | null;
}

export type SaleState = "open" | "accepted" | "void";

export interface SaleSummary {
  id: string;
  state: SaleState;
  created_at: string;
  accepted_at: string | null;
  till: string;
  by: string;
  currency: string;
  picture: string | null;
  width: number;
  height: number;
  seconds: number;
  certainty: number;
  passes: boolean;
  questions: number;
  corrections: number;
  can_undo: boolean;
  total_cents: number;
  unpriced: number;
  lines_count?: number;
  items_count?: number;
}

export interface Sale extends SaleSummary {
  items: Item[];
  lines: Line[];
}

export type Correction =
  | { kind: "rename"; item: number; sku: string }
  | { kind: "remove"; item: number }
  | { kind: "confirm"; item: number }
  | { kind: "add"; sku: string; box: Box | null }
  | { kind: "count"; sku: string; count: number }
  | { kind: "undo" };

export interface Suggestion {
  box: Box;
  alternatives: Alternative[];
}

export interface Product {
  sku: string;
  title: string;
  price_cents: number | null;
  ean: string | null;
  retired: boolean;
  in_model: boolean;
  photos: number;
  photo: string | null;
  changed_at: string;
}

export interface PhotosAdded {
  added: number;
  left_out: { name: string; why: string }[];
  generation: number;
  seconds: number;
}

export interface CsvRead {
  added: number;
  changed: number;
  unchanged: number;
}

export interface Gallery {
  generation: number;
  skus: number;
  photos: number;
  confirmed: { sku: string; at: string; sale: string }[];
}

export type TrayState = "empty" | "moving" | "still" | "read" | "left" | "off";

export interface Camera {
  state: TrayState;
  message: string | null;
  size: [number, number] | null;
}

export interface StoredEvent {
  seq: number;
  id: string;
  type: string;
  at: string;
  actor: string;
  till: string;
  sale: string | null;
  data: Record<string, unknown>;
}

export interface Health {
  days: { day: string; trays: number; uncorrected: number; passed: number }[];
  trays: number;
  uncorrected_share: number | null;
  passed_share: number | null;
  passed_right_share: number | null;
  confused: { sku: string; title: string; read_as: string; read_as_title: string; times: number; last_sale: string }[];
  warnings: { code: string; text: string; sku: string | null; since: string }[];
}

export interface ApiErrorBody {
  error: { code: string; message: string };
}
