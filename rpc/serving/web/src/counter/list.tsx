// The shopping list: doubtful items first, then one line a product; the sum and what ends the sale below.
import type { Item, Line, Sale } from "../api/types";
import { productOf, products } from "../look/shared";
import { useStore } from "../look/store";
import { Thumb } from "../parts/choices";
import { Icon } from "../parts/icons";
import { money } from "../text/money";
import { t, useLanguage } from "../text/translate";
import { Crop } from "./picture";
import { itemsOfLine, openItems } from "./sale";

export interface ListProps {
  sale: Sale;
  url: string | null;
  shown: number | null;
  selected: number | null;
  onItem: (item: Item) => void;
  onCount: (line: Line, count: number) => void;
  onQuestion: (item: Item) => void;
}

export function List({ sale, url, shown, selected, onItem, onCount, onQuestion }: ListProps) {
  const language = useLanguage();
  useStore(products);
  const waiting = openItems(sale).filter((item) => item.id !== shown);
  const locked = sale.state !== "open";
  const openSkus = new Set(openItems(sale).filter((item) => item.counted).map((item) => item.sku));
  return (
    <>
      {waiting.length > 0 && (
        <section aria-labelledby="waiting-title">
          <h2 id="waiting-title" class="list-title">
            {t("list.waiting", { count: waiting.length })}
          </h2>
          <ul class="waiting">
            {waiting.map((item) => (
              <li key={item.id}>
                <button type="button" class="waiting-item" onClick={() => onQuestion(item)}>
                  <Crop url={url} sale={sale} box={item.box} />
                  <span class="waiting-name">{item.title}?</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="list-title">
        <h2 id="list-title" class="list-title">
          {t("list.title")}
        </h2>
        {sale.lines.length === 0 && <p class="muted list-empty">{t("list.empty")}</p>}
        <ul class="lines">
          {sale.lines.map((line) => {
            const items = itemsOfLine(sale, line.sku);
            const chosen = items.some((item) => item.id === selected);
            return (
              <li key={line.sku} class={chosen ? "line chosen" : "line"}>
                <button type="button" class="line-main" onClick={() => items[0] && onItem(items[0])}>
                  <Thumb photo={productOf(line.sku)?.photo} title={line.title} />
                  <span class="grow">
                    <span class="line-title">
                      {line.title}
                      {openSkus.has(line.sku) && (
                        <span class="doubt-mark">
                          {" "}
                          ?<span class="visually-hidden"> {t("list.not_sure")}</span>
                        </span>
                      )}
                    </span>
                    <span class="muted small">
                      {line.price_cents === null
                        ? t("no_price")
                        : t("list.each", { price: money(line.price_cents, sale.currency, language) })}
                    </span>
                  </span>
                </button>
                {!locked && (
                  <span class="stepper slim" role="group" aria-label={t("list.count_of", { title: line.title })}>
                    <button type="button" aria-label={t("list.less", { title: line.title })} onClick={() => onCount(line, line.count - 1)}>
                      <Icon name="minus" />
                    </button>
                    <span class="stepper-value">{line.count}</span>
                    <button type="button" aria-label={t("list.more", { title: line.title })} onClick={() => onCount(line, line.count + 1)}>
                      <Icon name="plus" />
                    </button>
                  </span>
                )}
                {locked && <span class="line-count">{line.count} ×</span>}
                <span class="line-sum">{line.sum_cents === null ? "–" : money(line.sum_cents, sale.currency, language)}</span>
              </li>
            );
          })}
        </ul>
      </section>
    </>
  );
}
