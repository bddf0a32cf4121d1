// Times come in UTC and are shown in the reader's own zone.

export function timeOf(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

export function dayOf(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short" }).format(new Date(iso));
}

export function momentOf(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** A day of `YYYY-MM-DD` without an hour: never moved by a time zone. */
export function plainDay(day: string, language: string): string {
  const format = { weekday: "short", day: "numeric", month: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(language, format).format(new Date(`${day}T00:00:00Z`));
}

/** The instants in which a local day begins and ends: what `from` and `to` of the API ask for. */
export function boundsOf(day: string): { from: string; to: string } | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!found) return null;
  const [year, month, date] = found.slice(1).map(Number) as [number, number, number];
  const plain = (at: Date) => at.toISOString().replace(/\.\d+Z$/, "Z");
  return { from: plain(new Date(year, month - 1, date)), to: plain(new Date(year, month - 1, date + 1)) };
}

export function percent(share: number, language: string): string {
  if (share > 0.99 && share < 1) return `> ${percent(0.99, language)}`;
  if (share > 0 && share < 0.01) return `< ${percent(0.01, language)}`;
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);
}
