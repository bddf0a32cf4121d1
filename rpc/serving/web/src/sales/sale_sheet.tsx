// One sale: its picture, its list, and who changed what.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Sale, StoredEvent } from "../api/types";
import { Picture } from "../counter/picture";
import { reopen } from "../counter/work";
import { ask, complain, productOf } from "../look/shared";
import { Icon } from "../parts/icons";
import { Sheet } from "../parts/sheet";
import { momentOf, percent, timeOf } from "../text/dates";
import { money } from "../text/money";
import { t, useLanguage, type Key } from "../text/translate";
import { StateChip, whose } from "./sales";

const MINUTES = 10; // a sale can be opened again so long

export function SaleSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const language = useLanguage();
  const [sale, setSale] = useState<Sale | null>(null);
  const [events, setEvents] = useState<StoredEvent[]>([]);
  const [selected, setSelected] = useState<number | null>(null);
  useEffect(() => {
    ask(() => api.sale(id)).then(setSale, (error) => {
      complain(error);
      onClose();
    });
    api.saleEvents(id).then(setEvents, () => undefined);
  }, [id]);
  if (!sale) return null;
  const ended = sale.accepted_at ?? sale.created_at;
  const fresh = Date.now() - Date.parse(ended) < MINUTES * 60_000;
  const pointed = sale.items.find((item) => item.id === selected);
  return (
    <Sheet title={momentOf(sale.created_at, language)} onClose={onClose} wide>
      <div class="sale-detail">
        <div>
          <div class="view picture-view">
            <Picture url={sale.picture} sale={sale} selected={selected} marked={null} locked onItem={(item) => setSelected(item.id)} onPlace={() => setSelected(null)} />
          </div>
          <p class="muted small" role="status">
            {pointed
              ? [pointed.title, pointed.probability === null ? "" : t("probable", { share: percent(pointed.probability, language) })].filter(Boolean).join(" · ")
              : t("sale.tap")}
          </p>
        </div>
        <div>
          <p class="row wrap">
            <StateChip sale={sale} />
            <span class="muted">{whose(sale)}</span>
          </p>
          <table class="plain-table">
            <caption class="visually-hidden">{t("list.title")}</caption>
            <thead class="visually-hidden">
              <tr>
                <th scope="col">{t("sale.count")}</th>
                <th scope="col">{t("product.title")}</th>
                <th scope="col">{t("sale.sum")}</th>
              </tr>
            </thead>
            <tbody>
              {sale.lines.map((line) => (
                <tr key={line.sku}>
                  <td class="number">{line.count} ×</td>
                  <td>{line.title}</td>
                  <td class="number">{line.sum_cents === null ? t("no_price") : money(line.sum_cents, sale.currency, language)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <td />
                <th scope="row">{t("sale.total")}</th>
                <td class="number">{money(sale.total_cents, sale.currency, language)}</td>
              </tr>
            </tfoot>
          </table>
          {events.length > 0 && (
            <section>
              <h3>{t("sale.history")}</h3>
              <ol class="history">
                {events.map((event) => (
                  <li key={event.seq}>
                    <time dateTime={event.at}>{timeOf(event.at, language)}</time>
                    <span class="grow">
                      {told(event)}
                      {event.actor && event.actor !== "open" && <span class="muted small">{event.actor}</span>}
                    </span>
                  </li>
                ))}
              </ol>
            </section>
          )}
          {sale.state !== "void" && sale.state !== "open" && fresh && (
            <button
              type="button"
              onClick={() => {
                onClose();
                void reopen(sale.id);
              }}
            >
              <Icon name="undo" />
              {t("reopen")}
            </button>
          )}
          <p class="muted small">{t("sale.seconds", { seconds: new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(sale.seconds) })}</p>
        </div>
      </div>
    </Sheet>
  );
}

/** An event in words. */
export function told(event: StoredEvent): string {
  const title = (sku: unknown) => (typeof sku === "string" ? (productOf(sku)?.title ?? sku) : "?");
  if (event.type !== "sale.corrected") return t(`event.${event.type}` as Key);
  const { kind, sku, sku_before: before } = event.data;
  return t(`corrected.${String(kind)}` as Key, { sku: title(sku ?? before), before: title(before ?? sku) });
}
