// The last trays of today, for who just sent one away.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { SaleSummary } from "../api/types";
import { onEvents } from "../look/shared";
import { timeOf } from "../text/dates";
import { money } from "../text/money";
import { t, useLanguage } from "../text/translate";

export function Recent() {
  const language = useLanguage();
  const [sales, setSales] = useState<SaleSummary[]>([]);
  useEffect(() => {
    let left = false;
    const load = () => api.sales({ limit: 5, state: "accepted" }).then((found) => left || setSales(found.sales), () => undefined);
    void load();
    const quiet = onEvents((type) => type === "sale.accepted" && void load());
    return () => {
      left = true;
      quiet();
    };
  }, []);
  if (!sales.length) return null;
  return (
    <section aria-labelledby="recent-title">
      <h3 id="recent-title">{t("ready.recent")}</h3>
      <ul class="recent">
        {sales.map((sale) => (
          <li key={sale.id}>
            <a href={`#/sales/${sale.id}`}>
              <span class="muted">{timeOf(sale.created_at, language)}</span>
              <span>{t("said.items", { count: sale.items_count ?? 0 })}</span>
              <strong>{money(sale.total_cents, sale.currency, language)}</strong>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
