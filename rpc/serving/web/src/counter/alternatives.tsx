// What an item may be, as large buttons; the number on each is its key.
import type { Alternative } from "../api/types";
import { productOf, products, settings } from "../look/shared";
import { useStore } from "../look/store";
import { Thumb } from "../parts/choices";
import { Icon } from "../parts/icons";
import { percent } from "../text/dates";
import { money } from "../text/money";
import { t, useLanguage } from "../text/translate";

export function Alternatives(props: {
  alternatives: Alternative[];
  chosen?: string;
  onPick: (sku: string) => void;
  disabled?: boolean;
}) {
  const language = useLanguage();
  useStore(products);
  const currency = settings.get()?.currency ?? "EUR";
  return (
    <ul class="alternatives">
      {props.alternatives.map(({ sku, title, probability }, place) => {
        const product = productOf(sku);
        const price = product?.price_cents;
        const now = sku === props.chosen;
        return (
          <li key={sku}>
            <button
              type="button"
              class={now ? "alternative now" : "alternative"}
              disabled={props.disabled}
              onClick={() => props.onPick(sku)}
            >
              <kbd aria-hidden="true">{place + 1}</kbd>
              <Thumb photo={product?.photo} title={title} />
              <span class="grow">
                <span class="alternative-title">{title}</span>
                <span class="muted small">
                  {price === null || price === undefined ? t("no_price") : money(price, currency, language)}
                  {" · "}
                  {t("probable", { share: percent(probability, language) })}
                </span>
              </span>
              {now && (
                <span class="now-mark">
                  <Icon name="check" />
                  <span class="visually-hidden">{t("item.now")}</span>
                </span>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
