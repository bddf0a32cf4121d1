// Another product by typing: the products known here at once, the server's wider search where that finds none.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Product } from "../api/types";
import { products, settings } from "../look/shared";
import { useStore } from "../look/store";
import { Thumb } from "../parts/choices";
import { Icon } from "../parts/icons";
import { money } from "../text/money";
import { t, useLanguage } from "../text/translate";
import { findProducts } from "./sale";

export function FindProduct({ onPick, focus }: { onPick: (product: Product) => void; focus?: boolean }) {
  const id = useId();
  const language = useLanguage();
  const all = useStore(products);
  const [text, setText] = useState("");
  const [row, setRow] = useState(0);
  const [wider, setWider] = useState<Product[]>([]);
  const field = useRef<HTMLInputElement>(null);
  const near = findProducts(all, text);
  const shown = near.length ? near : wider.filter((product) => !product.retired).slice(0, 8);
  useEffect(() => {
    if (focus) field.current?.focus();
  }, [focus]);
  useEffect(() => {
    setWider([]);
    if (near.length || text.trim().length < 2) return;
    const timer = setTimeout(() => {
      api.products(text.trim()).then((found) => setWider(found.products), () => undefined);
    }, 200);
    return () => clearTimeout(timer);
  }, [text, near.length]);
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setRow(Math.min(Math.max(row + step, 0), shown.length - 1));
    } else if (event.key === "Enter" && shown[row]) {
      event.preventDefault();
      onPick(shown[row]);
    }
  };
  const list = `${id}-list`;
  return (
    <div class="find">
      <label class="label" for={id}>
        {t("find.label")}
      </label>
      <div class="field-with-icon">
        <Icon name="search" />
        <input
          id={id}
          ref={field}
          autocomplete="off"
          enterkeyhint="search"
          role="combobox"
          aria-expanded={shown.length > 0}
          aria-controls={list}
          aria-activedescendant={shown[row] ? `${list}-${row}` : undefined}
          placeholder={t("find.placeholder")}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setRow(0);
          }}
          onKeyDown={pressed}
        />
      </div>
      <ul id={list} role="listbox" aria-label={t("find.results")} class="find-list">
        {shown.map((product, place) => (
          <li
            key={product.sku}
            id={`${list}-${place}`}
            role="option"
            aria-selected={place === row}
            class="find-row"
            onClick={() => onPick(product)}
          >
            <Thumb photo={product.photo} title={product.title} />
            <span class="grow">{product.title}</span>
            <span class="price">
              {product.price_cents === null
                ? t("no_price")
                : money(product.price_cents, settings.get()?.currency ?? "EUR", language)}
            </span>
          </li>
        ))}
      </ul>
      {text.trim().length > 1 && !shown.length && <p class="muted">{t("find.none")}</p>}
    </div>
  );
}
