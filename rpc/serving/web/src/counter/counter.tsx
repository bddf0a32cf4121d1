// The counter: a tray in, its list beside it, questions first, accepted at the end.
import { useEffect, useRef, useState } from "preact/hooks";
import { onEvents, settings } from "../look/shared";
import { useStore } from "../look/store";
import { preferences } from "../look/preferences";
import { Recent } from "../sales/recent";
import { Icon } from "../parts/icons";
import { money } from "../text/money";
import { t, useLanguage } from "../text/translate";
import { api } from "../api/client";
import { AddSheet, ItemSheet } from "./item_sheet";
import { List } from "./list";
import { Picture } from "./picture";
import { Question } from "./question";
import { buttonsOf, choose, questionAfter } from "./sale";
import { Stage } from "./stage";
import { useCounterKeys } from "./use_keys";
import {
  accept, addHere, askAbout, closeSheets, correct, countPhoto, countServerCamera, discard, finish, openAdd, openItem, refresh, resume,
  show, tapPlace, work,
} from "./work";

export function Counter({ onHelp }: { onHelp: () => void }) {
  const now = useStore(work);
  const { sale } = now;
  const take = useRef<() => void>(() => undefined);
  const [dragged, setDragged] = useState(false);
  useEffect(() => void resume(), []);
  useServerSales();
  const asked = sale?.items.find((item) => item.id === now.question && item.open) ?? null;
  const selected = sale?.items.find((item) => item.id === now.selected) ?? null;
  const sheet = !!selected || !!now.adding;
  useCounterKeys({
    take: () => now.phase === "ready" && take.current(),
    answer: (number) => {
      const item = selected ?? asked;
      const choice = item && (selected ? item.alternatives : buttonsOf(item))[number - 1];
      const added = now.adding?.suggestion?.alternatives[number - 1];
      if (added && now.adding?.suggestion) void addHere({ kind: "add", sku: added.sku, box: now.adding.suggestion.box });
      else if (item && choice) void correct(choose(item, choice.sku));
    },
    sheet,
    focus: asked,
    onHelp,
  });
  const url = sale?.picture ?? now.photo;
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setDragged(false);
    const photo = event.dataTransfer?.files[0];
    if (photo && now.phase === "ready") void countPhoto(photo);
  };
  return (
    <div
      class={`counter ${now.phase}${dragged ? " dragged" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setDragged(now.phase === "ready");
      }}
      onDragLeave={(event) => event.target === event.currentTarget && setDragged(false)}
      onDrop={dropped}
    >
      <h1 class="visually-hidden">{t("nav.counter")}</h1>
      <p class="visually-hidden" role="status" aria-live="polite">
        {now.said}
      </p>
      <div class="counter-left">
        {now.phase === "ready" && <Stage onPhoto={(photo) => void countPhoto(photo)} onServerCamera={() => void countServerCamera()} take={take} />}
        {now.phase === "counting" && (
          <div class="view counting-view">
            {now.photo && <img src={now.photo} alt={t("counting")} />}
            <p class="tray-state">
              <span class="dot moving" aria-hidden="true" />
              {t("counting")}
            </p>
          </div>
        )}
        {sale && (
          <div class="picture-column">
          <div class="view picture-view">
            <Picture
              url={url}
              sale={sale}
              selected={selected?.id ?? asked?.id ?? null}
              marked={now.adding?.suggestion?.box ?? null}
              locked={sale.state !== "open"}
              onItem={(item) => openItem(item)}
              onPlace={(point) => void tapPlace(point)}
            />
          </div>
            <p class="picture-hint">{t("counter.hint")}</p>
          </div>
        )}
      </div>
      <div class="counter-right">
        {now.phase === "ready" && <Ready />}
        {now.phase === "counting" && <Skeleton />}
        {sale && (
          <>
            <div class="counter-scroll">
              {asked && (
                <Question
                  sale={sale}
                  item={asked}
                  url={url}
                  saving={now.saving}
                  onCorrect={(correction) => void correct(correction)}
                  onOther={() => openItem(asked, true)}
                  onLater={() => askAbout(questionAfter(sale, asked.id))}
                />
              )}
              <List
                sale={sale}
                url={url}
                shown={asked?.id ?? null}
                selected={selected?.id ?? null}
                onItem={(item) => openItem(item)}
                onQuestion={askAbout}
                onCount={(line, count) => void correct({ kind: "count", sku: line.sku, count })}
              />
              <div class="row wrap list-tools">
                <button type="button" onClick={() => openAdd()}>
                  <Icon name="plus" />
                  {t("add.title")}
                </button>
                <button type="button" disabled={!sale.can_undo || now.saving} onClick={() => void correct({ kind: "undo" })}>
                  <Icon name="undo" />
                  {t("undo")}
                </button>
                <button type="button" class="quiet" disabled={now.saving} onClick={() => void discard()}>
                  <Icon name="bin" />
                  {t("discard")}
                </button>
              </div>
            </div>
            <Total />
          </>
        )}
      </div>
      {sale && selected && (
        <ItemSheet
          key={selected.id}
          sale={sale}
          item={selected}
          url={url}
          typing={now.typing}
          onSelect={(item) => openItem(item)}
          onCorrect={(correction) => void correct(correction)}
          onClose={closeSheets}
        />
      )}
      {sale && now.adding && (
        <AddSheet
          sale={sale}
          url={url}
          suggestion={now.adding.suggestion}
          onCorrect={(correction) => void addHere(correction)}
          onClose={closeSheets}
        />
      )}
    </div>
  );
}

/** The server's camera opens a sale by itself: it is shown where the counter waits for one. A sale that was changed elsewhere is read again. */
function useServerSales() {
  useEffect(
    () =>
      onEvents((type, event) => {
        const { sale: own, saving } = work.get();
        if (own && event.sale === own.id && !saving && type !== "sale.counted") return void refresh();
        if (type !== "sale.counted" || !event.sale || work.get().phase !== "ready") return;
        if (event.till !== settings.get()?.till || preferences.get().source === "file") return;
        if (settings.get()?.camera !== "server") return;
        void api.sale(event.sale).then((sale) => work.get().phase === "ready" && sale.state === "open" && show(sale));
      }),
    [],
  );
}

function Total() {
  const language = useLanguage();
  const { sale, saving } = useStore(work);
  if (!sale) return null;
  const items = sale.lines.reduce((sum, line) => sum + line.count, 0);
  return (
    <footer class="total">
      <div class="total-words">
        <span class="total-items">{t("said.items", { count: items })}</span>
        <strong class="total-sum">{money(sale.total_cents, sale.currency, language)}</strong>
        {sale.unpriced > 0 && (
          <span class="total-note">
            <Icon name="warning" />
            {t("unpriced", { count: sale.unpriced })}
          </span>
        )}
      </div>
      <button
        type="button"
        class={sale.questions ? "large accept unsure" : "primary large accept"}
        disabled={saving || items === 0}
        onClick={() => void accept()}
      >
        {!sale.questions && <Icon name="check" />}
        <span>
          {sale.questions ? t("accept_anyway") : t("accept")}
          {sale.questions > 0 && <span class="accept-note">{t("said.questions", { count: sale.questions })}</span>}
        </span>
      </button>
    </footer>
  );
}

function Ready() {
  const language = useLanguage();
  const shop = useStore(settings);
  if (!shop) return null;
  return (
    <div class="ready-panel">
      <h2>{t("ready.title")}</h2>
      <p class="muted">{t("ready.how")}</p>
      <dl class="figures">
        <div>
          <dt>{t("ready.trays")}</dt>
          <dd>{new Intl.NumberFormat(language).format(shop.today.trays)}</dd>
        </div>
        <div>
          <dt>{t("ready.sum")}</dt>
          <dd>{money(shop.today.total_cents, shop.currency, language)}</dd>
        </div>
      </dl>
      {shop.demo && <p class="note">{t("ready.demo")}</p>}
      <Recent />
    </div>
  );
}

function Skeleton() {
  return (
    <div class="ready-panel">
      <div class="skeleton" aria-hidden="true">
        {[0, 1, 2, 3, 4].map((row) => (
          <span key={row} />
        ))}
      </div>
      <button type="button" class="quiet" onClick={finish}>
        {t("cancel")}
      </button>
    </div>
  );
}
