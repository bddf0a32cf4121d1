// Sales: what was counted and corrected, by day and state, with the picture.
import { useEffect, useState } from "preact/hooks";
import { api, query, type SaleFilter } from "../api/client";
import type { SaleSummary } from "../api/types";
import { ask, complain, onEvents } from "../look/shared";
import { Chip, Empty } from "../parts/choices";
import { Icon } from "../parts/icons";
import { boundsOf, dayOf, timeOf } from "../text/dates";
import { money } from "../text/money";
import { t, useLanguage, type Key } from "../text/translate";
import { SaleSheet } from "./sale_sheet";

interface Filter {
  state: string;
  corrected: string;
  from: string;
  to: string;
}

/** What the API is asked: days become the instants at which they begin and end here. */
export function asked(filter: Filter): SaleFilter {
  return {
    state: filter.state,
    corrected: filter.corrected,
    from: boundsOf(filter.from)?.from,
    to: boundsOf(filter.to)?.to,
  };
}

/** Where and by whom; nobody is named on a counter without keys. */
export function whose(sale: SaleSummary): string {
  return [sale.till, sale.by === "open" ? "" : sale.by].filter(Boolean).join(" · ");
}

export function StateChip({ sale }: { sale: SaleSummary }) {
  const kind = sale.state === "accepted" ? "good" : sale.state === "open" ? "doubt" : undefined;
  const icon = sale.state === "accepted" ? "check" : sale.state === "open" ? "help" : "close";
  return (
    <Chip kind={kind} icon={icon}>
      {t(`state.${sale.state}` as Key)}
    </Chip>
  );
}

export function SalesScreen() {
  const language = useLanguage();
  const [filter, setFilter] = useState<Filter>({ state: "", corrected: "", from: "", to: "" });
  const [sales, setSales] = useState<SaleSummary[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [shown, setShown] = useState<string | null>(location.hash.split("/")[2] ?? null);
  const [stale, setStale] = useState(0);

  useEffect(() => {
    let left = false;
    ask(() => api.sales({ ...asked(filter), limit: 50 }), () => left).then((found) => {
      if (left) return;
      setSales(found.sales);
      setNext(found.next);
    }, (error) => left || complain(error));
    return () => {
      left = true;
    };
  }, [filter, stale]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const quiet = onEvents((type) => {
      if (!type.startsWith("sale.")) return;
      clearTimeout(timer);
      timer = setTimeout(() => setStale((count) => count + 1), 500);
    });
    return () => {
      clearTimeout(timer);
      quiet();
    };
  }, []);

  const more = () =>
    api.sales({ ...asked(filter), limit: 50, before: next ?? undefined }).then((found) => {
      setSales((now) => [...(now ?? []), ...found.sales]);
      setNext(found.next);
    }, complain);
  const change = (part: Partial<Filter>) => setFilter({ ...filter, ...part });
  const { from, to } = asked(filter);
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.sales")}</h1>
        <a class="button" href={`/v1/sales.csv${query({ from, to })}`} download="sales.csv">
          <Icon name="down" />
          {t("csv.export")}
        </a>
      </div>
      <div class="filters" role="group" aria-label={t("sales.filters")}>
        <label class="field">
          <span class="label">{t("sales.from")}</span>
          <input type="date" value={filter.from} max={filter.to || undefined} onChange={(event) => change({ from: event.currentTarget.value })} />
        </label>
        <label class="field">
          <span class="label">{t("sales.to")}</span>
          <input type="date" value={filter.to} min={filter.from || undefined} onChange={(event) => change({ to: event.currentTarget.value })} />
        </label>
        <label class="field">
          <span class="label">{t("sales.state")}</span>
          <select value={filter.state} onChange={(event) => change({ state: event.currentTarget.value })}>
            <option value="">{t("sales.all")}</option>
            {["accepted", "open", "void"].map((state) => (
              <option key={state} value={state}>
                {t(`state.${state}` as Key)}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="label">{t("sales.corrected")}</span>
          <select value={filter.corrected} onChange={(event) => change({ corrected: event.currentTarget.value })}>
            <option value="">{t("sales.all")}</option>
            <option value="true">{t("sales.with")}</option>
            <option value="false">{t("sales.without")}</option>
          </select>
        </label>
      </div>
      {sales?.length === 0 && <Empty icon="list" title={t("sales.none")} />}
      <ul class="sales">
        {sales?.map((sale) => (
          <li key={sale.id}>
            <button type="button" class="sale-row" onClick={() => setShown(sale.id)}>
              <span class="sale-time">
                {timeOf(sale.created_at, language)}
                <span class="muted small">{dayOf(sale.created_at, language)}</span>
              </span>
              <span class="sale-what grow">
                {t("said.items", { count: sale.items_count ?? 0 })}
                <span class="muted small">{whose(sale)}</span>
              </span>
              <span class="sale-chips">
                {sale.corrections > 0 && <Chip>{t("sales.corrections", { count: sale.corrections })}</Chip>}
                <StateChip sale={sale} />
              </span>
              <span class="sale-sum">{money(sale.total_cents, sale.currency, language)}</span>
              <Icon name="right" />
            </button>
          </li>
        ))}
      </ul>
      {next && (
        <button type="button" class="wide-button" onClick={() => void more()}>
          {t("show_more")}
        </button>
      )}
      {shown && <SaleSheet id={shown} onClose={() => setShown(null)} />}
    </div>
  );
}
