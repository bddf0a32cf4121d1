// Money is whole cents everywhere; only here it becomes text, and text becomes cents.

const made = new Map<string, Intl.NumberFormat>();

/** Formats are slow to make and are kept: a list of fifty lines asks for the same two. */
function format(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const name = language + JSON.stringify(options);
  const found = made.get(name) ?? new Intl.NumberFormat(language, options);
  made.set(name, found);
  return found;
}

/** Minor units of a currency: 2 for EUR, 0 for JPY. */
export function digitsOf(currency: string): number {
  return format("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

export function money(cents: number, currency: string, language: string): string {
  return format(language, { style: "currency", currency }).format(cents / 10 ** digitsOf(currency));
}

/** A price for a text field, without the currency's sign: "2.49", in German "2,49". */
export function priceField(cents: number | null, currency: string, language: string): string {
  if (cents === null) return "";
  const digits = digitsOf(currency);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return format(language, options).format(cents / 10 ** digits);
}

/**
 * Cents of what somebody typed; null for an empty field, undefined for what is no price.
 *
 * Comma and point are both understood as the decimal sign: "2,49", "2.49", "2", ",5". Digits that do
 * not fit the currency ("2.499") and thousands signs ("1,000.00") are refused rather than guessed.
 */
export function centsOf(text: string, currency: string): number | null | undefined {
  const plain = text.replace(/[\s\u00a0\u202f€$£¥]/g, "");
  if (plain === "") return null;
  const found = /^(\d{0,7})(?:[.,](\d*))?$/.exec(plain);
  if (!found || (!found[1] && !found[2])) return undefined;
  const digits = digitsOf(currency);
  const part = found[2] ?? "";
  if (part.length > digits) return undefined;
  return Number((found[1] || "0") + part.padEnd(digits, "0"));
}
