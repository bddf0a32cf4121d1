// The sale in hand: counted, corrected, accepted. One request at a time, asked again when the connection is lost.
import { api, ApiError, wholePixels } from "../api/client";
import type { Correction, Item, Sale, Suggestion } from "../api/types";
import { ask, complain, loadSettings, settings, tell } from "../look/shared";
import { store } from "../look/store";
import { money } from "../text/money";
import { t } from "../text/translate";
import { preferences } from "../look/preferences";
import { arrived, questionAfter } from "./sale";

export interface Work {
  /** `ready`: no sale; `counting`: a photo is with the server; `sale`: one is shown. */
  phase: "ready" | "counting" | "sale";
  sale: Sale | null;
  /** The photo as it was taken: shown while it is counted, before the server's own picture. */
  photo: string | null;
  saving: boolean;
  /** The question shown first, and the item whose sheet is open. */
  question: number | null;
  selected: number | null;
  typing: boolean;
  adding: { suggestion: Suggestion | null | undefined } | null;
  /** What a screen reader is told. */
  said: string;
}

const NOTHING: Work = {
  phase: "ready", sale: null, photo: null, saving: false, question: null, selected: null, typing: false, adding: null, said: "",
};
export const work = store<Work>(NOTHING);
const KEPT = "counter.sale";

function change(next: Partial<Work>): void {
  work.set((before) => ({ ...before, ...next }));
}

function keep(id: string | null): void {
  try {
    if (id) sessionStorage.setItem(KEPT, id);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // a reload then begins anew
  }
}

/** Words for what is on the list now. */
export function summary(sale: Sale): string {
  const language = preferences.get().language;
  const items = sale.lines.reduce((sum, line) => sum + line.count, 0);
  const told = [t("said.items", { count: items }), money(sale.total_cents, sale.currency, language)];
  if (sale.questions) told.push(t("said.questions", { count: sale.questions }));
  return told.join(", ");
}

export function show(sale: Sale, answered: number | null = null): void {
  const before = work.get();
  const same = before.sale?.id === sale.id;
  const asked = same ? sale.items.find((item) => item.id === before.question && item.open) : undefined;
  change({
    phase: "sale",
    sale,
    photo: sale.picture ? dropPhoto() : before.photo,
    question: (asked ?? questionAfter(sale, answered ?? (same ? before.question : null)))?.id ?? null,
    selected: null,
    typing: false,
    adding: null,
    said: summary(sale),
  });
  keep(sale.state === "open" ? sale.id : null);
}

function dropPhoto(): null {
  const { photo } = work.get();
  if (photo) URL.revokeObjectURL(photo);
  return null;
}

export function finish(): void {
  dropPhoto();
  keep(null);
  work.set(NOTHING);
}

/** After a reload: the sale that was open is open again. */
export async function resume(): Promise<void> {
  let id: string | null = null;
  try {
    id = sessionStorage.getItem(KEPT);
  } catch {
    return;
  }
  if (!id || work.get().phase !== "ready") return;
  try {
    const sale = await ask(() => api.sale(id));
    if (sale.state === "open" && work.get().phase === "ready") show(sale);
  } catch {
    keep(null);
  }
}

/** Names one request through all its tries. */
function freshKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // pages without https have no randomUUID
}

async function counting(photo: string | null, job: (key: string) => Promise<Sale>): Promise<void> {
  if (work.get().phase === "counting") return;
  dropPhoto();
  change({ ...NOTHING, phase: "counting", photo, said: t("counting") });
  const key = freshKey();
  try {
    const sale = await ask(() => job(key), () => work.get().phase !== "counting");
    if (work.get().phase === "counting") show(sale);
    else void api.void(sale.id).catch(() => undefined); // was given up while the server counted
  } catch (error) {
    if (work.get().phase !== "counting") return;
    finish();
    complain(error);
  }
}

export function countPhoto(photo: Blob): Promise<void> {
  return counting(URL.createObjectURL(photo), (key) => api.sell(photo, key));
}

export function countServerCamera(): Promise<void> {
  return counting(null, (key) => api.sellFromCamera(key));
}

/** Sends a correction; where the answer is lost, looks first whether it had arrived. */
export async function correct(correction: Correction): Promise<void> {
  const { sale, saving } = work.get();
  if (!sale || saving) return;
  change({ saving: true });
  const key = freshKey();
  try {
    const corrected = await ask(async (again) => {
      if (again) {
        const now = await api.sale(sale.id);
        if (arrived(sale, now)) return now;
      }
      return api.correct(sale.id, correction, key);
    });
    if (work.get().sale?.id === sale.id) show(corrected, "item" in correction ? correction.item : null);
  } catch (error) {
    complain(error);
    if (error instanceof ApiError && error.status === 409) await refresh();
  } finally {
    change({ saving: false });
  }
}

export function addHere(correction: Correction): Promise<void> {
  return correct(correction.kind === "add" && correction.box ? { ...correction, box: wholePixels(correction.box) } : correction);
}

export async function refresh(): Promise<void> {
  const { sale } = work.get();
  if (!sale) return;
  try {
    const now = await api.sale(sale.id);
    if (work.get().sale?.id !== sale.id) return;
    if (now.state === "open") {
      if (arrived(sale, now)) show(now);
    } else finish();
  } catch {
    // told by whoever asked first
  }
}

async function ending(job: (sale: Sale) => Promise<Sale>, wanted: Sale["state"]): Promise<Sale | null> {
  const { sale, saving } = work.get();
  if (!sale || saving) return null;
  change({ saving: true });
  try {
    return await ask(async () => {
      try {
        return await job(sale);
      } catch (error) {
        // An earlier try may have arrived: its answer was lost, and now the sale has ended already.
        if (!(error instanceof ApiError && error.status === 409)) throw error;
        const now = await api.sale(sale.id);
        if (now.state !== wanted) throw error;
        return now;
      }
    });
  } catch (error) {
    complain(error);
    if (error instanceof ApiError && error.status === 409) await refresh();
    return null;
  } finally {
    change({ saving: false });
  }
}

export async function accept(): Promise<void> {
  const sale = await ending((open) => api.accept(open.id), "accepted");
  if (!sale) return;
  finish();
  const sum = money(sale.total_cents, sale.currency, preferences.get().language);
  tell(t("accepted", { sum }), { label: t("reopen"), run: () => void reopen(sale.id) });
  countToday(1, sale.total_cents);
}

export async function discard(): Promise<void> {
  const sale = await ending((open) => api.void(open.id), "void");
  if (!sale) return;
  finish();
  tell(t("discarded"), { label: t("reopen"), run: () => void reopen(sale.id) });
}

export async function reopen(id: string): Promise<void> {
  try {
    const before = await ask(() => api.sale(id));
    const sale = await ask(() => api.reopen(id));
    if (before.state === "accepted") countToday(-1, -before.total_cents);
    location.hash = "#/counter";
    show(sale);
  } catch (error) {
    complain(error);
  }
}

/** Keeps today's figures right until the server is asked again. */
function countToday(trays: number, cents: number): void {
  settings.set((now) => now && { ...now, today: { trays: now.today.trays + trays, total_cents: now.today.total_cents + cents } });
  void loadSettings().catch(() => undefined);
}

export async function tapPlace(point: [number, number]): Promise<void> {
  const { sale } = work.get();
  if (!sale || sale.state !== "open") return;
  change({ adding: { suggestion: null }, selected: null });
  try {
    const suggestion = await ask(() => api.suggest(sale.id, point));
    if (work.get().adding && work.get().sale?.id === sale.id) change({ adding: { suggestion } });
  } catch (error) {
    if (work.get().adding) change({ adding: { suggestion: undefined } });
    complain(error);
  }
}

export const openAdd = () => work.get().sale?.state === "open" && change({ adding: { suggestion: undefined }, selected: null });
export const openItem = (item: Item, typing = false) => change({ selected: item.id, typing, adding: null });
export const closeSheets = () => change({ selected: null, adding: null, typing: false });
export const askAbout = (item: Item | null) => change({ question: item?.id ?? null });
