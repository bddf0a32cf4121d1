// Health: how often nobody had to correct, what is confused with what, and what seems wrong.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Health } from "../api/types";
import { ask, complain } from "../look/shared";
import { Choices, Empty } from "../parts/choices";
import { Icon } from "../parts/icons";
import { momentOf, percent, plainDay } from "../text/dates";
import { t, useLanguage, type Key } from "../text/translate";

const WARNINGS = ["pack_changed", "camera_moved", "camera_dirty", "dark"];

export function HealthScreen() {
  const language = useLanguage();
  const [days, setDays] = useState<"7" | "30">("7");
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(() => {
    let left = false;
    ask(() => api.health(Number(days)), () => left).then((found) => left || setHealth(found), (error) => left || complain(error));
    return () => {
      left = true;
    };
  }, [days]);
  const share = (value: number | null) => (value === null ? "–" : percent(value, language));
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.health")}</h1>
        <Choices
          label={t("health.days")}
          value={days}
          options={[
            { value: "7", label: t("health.last", { count: 7 }) },
            { value: "30", label: t("health.last", { count: 30 }) },
          ]}
          onChange={setDays}
        />
      </div>
      {health && (
        <>
          {health.warnings.length > 0 && (
            <section aria-labelledby="warnings-title">
              <h2 id="warnings-title">{t("health.warnings")}</h2>
              <ul class="warnings">
                {health.warnings.map((warning) => (
                  <li key={warning.code + warning.sku} class="warning">
                    <Icon name="warning" />
                    <span class="grow">
                      <strong>{WARNINGS.includes(warning.code) ? t(`warning.${warning.code}` as Key) : warning.code}</strong>
                      <span>{warning.text}</span>
                      <span class="muted small">{t("health.since", { when: momentOf(warning.since, language) })}</span>
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <dl class="figures wide-figures">
            <div>
              <dt>{t("health.trays")}</dt>
              <dd>{new Intl.NumberFormat(language).format(health.trays)}</dd>
            </div>
            <div>
              <dt>{t("health.uncorrected")}</dt>
              <dd>{share(health.uncorrected_share)}</dd>
            </div>
            <div>
              <dt>{t("health.passed")}</dt>
              <dd>{share(health.passed_share)}</dd>
            </div>
            <div>
              <dt>{t("health.passed_right")}</dt>
              <dd>{share(health.passed_right_share)}</dd>
            </div>
          </dl>
          {health.trays === 0 ? (
            <Empty icon="pulse" title={t("health.none")} />
          ) : (
            <>
              <Days days={health.days} />
              <section aria-labelledby="confused-title">
                <h2 id="confused-title">{t("health.confused")}</h2>
                {health.confused.length === 0 && <p class="muted">{t("health.not_confused")}</p>}
                <ul class="confused">
                  {health.confused.map((pair) => (
                    <li key={pair.sku + pair.read_as}>
                      <span class="confused-times">{pair.times} ×</span>
                      <span class="grow">
                        {t("health.read_as", { title: pair.title, other: pair.read_as_title })}
                      </span>
                      {pair.last_sale && (
                        <a class="button quiet" href={`#/sales/${pair.last_sale}`}>
                          {t("health.last_tray")}
                        </a>
                      )}
                    </li>
                  ))}
                </ul>
              </section>
            </>
          )}
        </>
      )}
    </div>
  );
}

/** Bars with their figures written out: nothing is said by colour or height alone. */
function Days({ days }: { days: Health["days"] }) {
  const language = useLanguage();
  return (
    <section aria-labelledby="days-title">
      <h2 id="days-title">{t("health.by_day")}</h2>
      <table class="days">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">{t("health.day")}</th>
            <th scope="col">{t("health.share")}</th>
            <th scope="col">{t("health.uncorrected")}</th>
            <th scope="col">{t("health.trays")}</th>
          </tr>
        </thead>
        <tbody>
          {days.map(({ day, trays, uncorrected }) => (
            <tr key={day}>
              <th scope="row">{plainDay(day, language)}</th>
              <td class="bar-cell">
                <svg class="day-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="day-all" width="100" height="10" />
                  {trays > 0 && <rect class="day-good" width={(100 * uncorrected) / trays} height="10" />}
                </svg>
              </td>
              <td class="number">{trays ? percent(uncorrected / trays, language) : "–"}</td>
              <td class="number muted">{t("health.of", { good: uncorrected, count: trays })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
