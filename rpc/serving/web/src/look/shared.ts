// What every screen sees: settings, products, connection, short messages.
import { api, ApiError, ConnectionLost } from "../api/client";
import { untilAnswered } from "../api/retry";
import type { Product, Settings, StoredEvent } from "../api/types";
import { t, type Key } from "../text/translate";
import { store } from "./store";

export const settings = store<Settings | null>(null);
export const products = store<Product[]>([]);
/** Whether the last request or the stream of events found no server. */
export const lost = store(false);
export const busy = store(false);
export const loginWanted = store(false);

export interface Toast {
  id: number;
  text: string;
  kind: "done" | "problem";
  action?: { label: string; run: () => void };
}
export const toasts = store<Toast[]>([]);
let lastToast = 0;

export function dismiss(id: number): void {
  toasts.set((shown) => shown.filter((toast) => toast.id !== id));
}

export function tell(text: string, action?: Toast["action"]): void {
  show({ id: ++lastToast, text, kind: "done", action }, action ? 10_000 : 4_000);
}

function show(toast: Toast, milliseconds: number): void {
  toasts.set((shown) => [...shown.filter(({ text }) => text !== toast.text).slice(-2), toast]);
  if (milliseconds) setTimeout(() => dismiss(toast.id), milliseconds);
}

/** The plain line of an error: the server's own, or ours where it is known in this language. */
export function errorText(error: unknown): string {
  if (error instanceof ConnectionLost) return t("connection.lost");
  if (error instanceof ApiError) {
    const key = `error.${error.code}`;
    const own = t(key as Key);
    if (own !== key && (document.documentElement.lang !== "en" || !error.message)) return own;
    return error.message || t("error.unknown", { code: error.code });
  }
  return error instanceof Error ? error.message : String(error);
}

/** Shows an error until somebody closes it; an expired key leads to the field for it. */
export function complain(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) loginWanted.set(true);
  show({ id: ++lastToast, text: errorText(error), kind: "problem" }, 0);
}

/** Asks until the server answers, and shows meanwhile that it does not. */
export function ask<T>(job: (again: boolean) => Promise<T>, stopped?: () => boolean): Promise<T> {
  const asked = untilAnswered(job, {
    onLost: (now) => lost.set(now),
    onBusy: () => busy.set(true),
    stopped,
  });
  return asked.finally(() => busy.set(false));
}

export async function loadSettings(): Promise<void> {
  const found = await ask(() => api.settings());
  settings.set(found);
  loginWanted.set(found.needs_key && !found.role);
}

export async function loadProducts(): Promise<void> {
  products.set((await ask(() => api.products("", true))).products);
}

export function productOf(sku: string): Product | undefined {
  return products.get().find((product) => product.sku === sku);
}

type Heard = (type: string, event: StoredEvent) => void;
const hearers = new Set<Heard>();
export const EVENT_TYPES = [
  "sale.counted", "sale.corrected", "sale.accepted", "sale.voided", "sale.reopened", "product.changed",
  "gallery.changed", "tray.state", "health.warning",
] as const;

export function hear(type: string, event: StoredEvent): void {
  for (const hearer of [...hearers]) hearer(type, event);
}

export function onEvents(hearer: Heard): () => void {
  hearers.add(hearer);
  return () => void hearers.delete(hearer);
}
