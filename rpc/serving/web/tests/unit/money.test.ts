import { expect, test } from "vitest";
import { centsOf, money, priceField } from "../../src/text/money";

const plain = (text: string) => text.replace(/\u00a0|\u202f/g, " ");

test("whole cents become the money of a language", () => {
  expect(plain(money(249, "EUR", "en"))).toBe("€2.49");
  expect(plain(money(123456, "EUR", "de"))).toBe("1.234,56 €");
  expect(plain(money(250, "JPY", "en"))).toBe("¥250");
});

test("no sum of cents loses a cent on its way to text and back", () => {
  for (const language of ["en", "de"])
    for (let cents = 0; cents < 99_999; cents += 37) expect(centsOf(priceField(cents, "EUR", language), "EUR")).toBe(cents);
});

test("comma and point are both the decimal sign, and an empty field is no price", () => {
  expect(["2,49", "2.49", " 2.49 € ", "€2.5", "2", ",5", "0"].map((text) => centsOf(text, "EUR"))).toEqual([249, 249, 249, 250, 200, 50, 0]);
  expect(centsOf("", "EUR")).toBeNull();
});

test("what may be read in two ways is refused", () => {
  for (const text of ["1,000.00", "1.000,00", "2.499", "-1", "free", ".", "1e3", "12345678"]) expect(centsOf(text, "EUR")).toBeUndefined();
  expect(centsOf("2.5", "JPY")).toBeUndefined();
});
