// One item, or one place of the picture: what it is, what else it may be, away with it.
import { useState } from "preact/hooks";
import type { Correction, Item, Sale, Suggestion } from "../api/types";
import { Icon } from "../parts/icons";
import { Sheet } from "../parts/sheet";
import { t } from "../text/translate";
import { Alternatives } from "./alternatives";
import { FindProduct } from "./find_product";
import { Crop } from "./picture";
import { choose, itemsOfLine } from "./sale";

export interface ItemSheetProps {
  sale: Sale;
  item: Item;
  url: string | null;
  typing: boolean;
  onSelect: (item: Item) => void;
  onCorrect: (correction: Correction) => void;
  onClose: () => void;
}

export function ItemSheet({ sale, item, url, typing, onSelect, onCorrect, onClose }: ItemSheetProps) {
  const alike = item.counted ? itemsOfLine(sale, item.sku) : [];
  const locked = sale.state !== "open";
  return (
    <Sheet title={item.title} onClose={onClose}>
      <div class="item-top">
        <Crop url={url} sale={sale} box={item.box} />
        {!locked && (
          <button type="button" class="danger" onClick={() => onCorrect({ kind: "remove", item: item.id })}>
            <Icon name="bin" />
            {t("item.remove")}
          </button>
        )}
      </div>
      {alike.length > 1 && (
          <div>
            <p class="label">{t("item.which", { count: alike.length })}</p>
            <div class="crops" role="group" aria-label={t("item.which", { count: alike.length })}>
              {alike.map((one, place) => (
                <button
                  key={one.id}
                  type="button"
                  class="crop-button"
                  aria-pressed={one.id === item.id}
                  aria-label={t("item.number", { place: place + 1, count: alike.length })}
                  onClick={() => onSelect(one)}
                >
                  <Crop url={url} sale={sale} box={one.box} />
                </button>
              ))}
            </div>
          </div>
        )}
      {locked ? (
        <p class="muted">{t("item.locked")}</p>
      ) : (
        <>
          {item.alternatives.length > 0 && (
            <section>
              <h3>{t("item.what")}</h3>
              <Alternatives
                alternatives={item.alternatives}
                chosen={item.sku}
                onPick={(sku) => onCorrect(choose(item, sku))}
              />
            </section>
          )}
          <FindProduct focus={typing} onPick={(product) => onCorrect(choose(item, product.sku))} />
        </>
      )}
    </Sheet>
  );
}

export interface AddSheetProps {
  sale: Sale;
  url: string | null;
  /** What may lie where the picture was tapped; null while the server looks, undefined without a place. */
  suggestion: Suggestion | null | undefined;
  onCorrect: (correction: Correction) => void;
  onClose: () => void;
}

export function AddSheet({ sale, url, suggestion, onCorrect, onClose }: AddSheetProps) {
  const [count, setCount] = useState(1);
  const box = suggestion?.box ?? null;
  const add = (sku: string) => {
    const already = sale.lines.find((line) => line.sku === sku)?.count ?? 0;
    onCorrect(count > 1 ? { kind: "count", sku, count: already + count } : { kind: "add", sku, box });
  };
  return (
    <Sheet title={suggestion === undefined ? t("add.title") : t("add.here")} onClose={onClose}>
      {suggestion === null && <p class="muted">{t("add.looking")}</p>}
      {suggestion && (
        <div class="item-top">
          <Crop url={url} sale={sale} box={suggestion.box} />
          <p class="grow muted">{t("add.pick")}</p>
        </div>
      )}
      {suggestion && <Alternatives alternatives={suggestion.alternatives} onPick={add} />}
      {suggestion === undefined && (
        <div class="row stepper-row">
          <span class="label">{t("add.count")}</span>
          <Stepper value={count} label={t("add.count")} least={1} onChange={setCount} />
        </div>
      )}
      <FindProduct focus={suggestion === undefined} onPick={(product) => add(product.sku)} />
    </Sheet>
  );
}

export function Stepper(props: { value: number; label: string; least?: number; onChange: (value: number) => void }) {
  return (
    <span class="stepper" role="group" aria-label={props.label}>
      <button
        type="button"
        aria-label={t("one_less")}
        disabled={props.value <= (props.least ?? 0)}
        onClick={() => props.onChange(props.value - 1)}
      >
        <Icon name="minus" />
      </button>
      <span class="stepper-value">{props.value}</span>
      <button type="button" aria-label={t("one_more")} onClick={() => props.onChange(props.value + 1)}>
        <Icon name="plus" />
      </button>
    </span>
  );
}
