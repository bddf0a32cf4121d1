// The question a cashier answers next, with what it may be as large buttons.
import { useEffect, useRef } from "preact/hooks";
import type { Correction, Item, Sale } from "../api/types";
import { Icon } from "../parts/icons";
import { t, type Key } from "../text/translate";
import { Alternatives } from "./alternatives";
import { Crop } from "./picture";
import { askedOf, buttonsOf, choose, openItems } from "./sale";

export interface QuestionProps {
  sale: Sale;
  item: Item;
  url: string | null;
  saving: boolean;
  onCorrect: (correction: Correction) => void;
  onOther: () => void;
  onLater: () => void;
}

export function Question({ sale, item, url, saving, onCorrect, onOther, onLater }: QuestionProps) {
  const card = useRef<HTMLElement>(null);
  const hadFocus = useRef(false);
  useEffect(() => {
    // Whoever answers by keys or a reader goes on at the next question.
    if (hadFocus.current && !card.current?.contains(document.activeElement)) card.current?.focus();
    return () => {
      hadFocus.current = !!card.current?.contains(document.activeElement) || document.activeElement === document.body;
    };
  }, [item.id]);
  const open = openItems(sale);
  const place = open.findIndex((one) => one.id === item.id) + 1;
  const asked = askedOf(item);
  return (
    <section ref={card} class="question" tabIndex={-1} aria-labelledby="question-title">
      <header class="question-head">
        <Crop url={url} sale={sale} box={item.box} />
        <div class="grow">
          <p class="question-place">
            <Icon name="help" />
            {t("question.place", { place, count: open.length })}
          </p>
          <h2 id="question-title">{t(`question.${asked}` as Key, { title: item.alternatives[0]?.title ?? item.title })}</h2>
          {!item.counted && <p class="muted small">{t("question.not_counted")}</p>}
        </div>
      </header>
      <Alternatives
        alternatives={buttonsOf(item)}
        disabled={saving}
        onPick={(sku) => onCorrect(choose(item, sku))}
      />
      <div class="row wrap question-tools">
        <button type="button" class="quiet" onClick={onOther}>
          {t("question.other")}
        </button>
        <button type="button" class="quiet" disabled={saving} onClick={() => onCorrect({ kind: "remove", item: item.id })}>
          {t("question.nothing")}
        </button>
        {open.length > 1 && (
          <button type="button" class="quiet" onClick={onLater}>
            {t("question.later")}
          </button>
        )}
      </div>
    </section>
  );
}
