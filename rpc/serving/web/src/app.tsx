// The frame of the page: shop, screens, connection, messages.
import { useEffect, useState } from "preact/hooks";
import { listen } from "./api/events";
import type { StoredEvent } from "./api/types";
import { Counter } from "./counter/counter";
import { actionOf } from "./counter/keys";
import { refresh } from "./counter/work";
import { SCREENS } from "./counter/use_keys";
import { HealthScreen } from "./health/health";
import { preferences } from "./look/preferences";
import { busy, complain, EVENT_TYPES, hear, loadProducts, loadSettings, loginWanted, lost, settings } from "./look/shared";
import { useStore } from "./look/store";
import { Icon, type IconName } from "./parts/icons";
import { ProductsScreen } from "./products/products";
import { SalesScreen } from "./sales/sales";
import { Login } from "./parts/login";
import { SettingsSheet } from "./parts/settings_sheet";
import { Toasts } from "./parts/toasts";
import { t } from "./text/translate";

type Screen = (typeof SCREENS)[number];
const ICONS: Record<Screen, IconName> = { counter: "tray", products: "box", sales: "list", health: "pulse" };

export function screenOf(hash: string): Screen {
  const name = hash.replace(/^#\/?/, "").split("/")[0] as Screen;
  return SCREENS.includes(name) ? name : "counter";
}

export function App() {
  useStore(preferences); // every text is drawn again when the language changes
  const shop = useStore(settings);
  const login = useStore(loginWanted);
  const [screen, setScreen] = useState(screenOf(location.hash));
  const [sheet, setSheet] = useState(false);

  useEffect(() => {
    const moved = () => setScreen(screenOf(location.hash));
    const pressed = (event: KeyboardEvent) => {
      const action = actionOf(event, false, false, preferences.get().shortcuts);
      if (action?.do !== "screen" || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      location.hash = `#/${SCREENS[action.number - 1]}`;
    };
    addEventListener("hashchange", moved);
    addEventListener("keydown", pressed);
    void loadSettings().catch(complain);
    return () => {
      removeEventListener("hashchange", moved);
      removeEventListener("keydown", pressed);
    };
  }, []);

  const role = shop?.role ?? null;
  useEffect(() => {
    if (!role) return;
    void loadProducts().catch(complain);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let before = true;
    return listen({
      types: EVENT_TYPES,
      onEvent: (type, event) => {
        hear(type, event as StoredEvent);
        if (type !== "product.changed" && type !== "gallery.changed") return;
        clearTimeout(timer);
        timer = setTimeout(() => void loadProducts().catch(complain), 300);
      },
      onState: (connected) => {
        lost.set(!connected);
        if (connected && !before) void refresh();
        before = connected;
      },
    });
  }, [role]);

  useEffect(() => {
    document.title = [t(`nav.${screen}`), shop?.shop].filter(Boolean).join(" · ");
  });

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        {t("skip")}
      </a>
      <header class="top">
        <div class="brand">
          <img src="/assets/icon.svg" alt="" width="32" height="32" />
          <span class="brand-name">{shop?.shop ?? ""}</span>
          {shop?.till && <span class="brand-till">{shop.till}</span>}
        </div>
        <nav class="tabs" aria-label={t("nav.label")}>
          {SCREENS.map((name) => (
            <a key={name} href={`#/${name}`} aria-current={name === screen ? "page" : undefined}>
              <Icon name={ICONS[name]} />
              <span>{t(`nav.${name}`)}</span>
            </a>
          ))}
        </nav>
        <button type="button" class="quiet round" aria-label={t("settings.title")} onClick={() => setSheet(true)}>
          <Icon name="gear" />
        </button>
      </header>
      <ConnectionBar />
      <main id="main" tabIndex={-1} class={`screen ${screen}-screen`}>
        {login ? (
          <Login />
        ) : !shop ? (
          <p class="loading muted">{t("loading")}</p>
        ) : screen === "products" ? (
          <ProductsScreen />
        ) : screen === "sales" ? (
          <SalesScreen />
        ) : screen === "health" ? (
          <HealthScreen />
        ) : (
          <Counter onHelp={() => setSheet(true)} />
        )}
      </main>
      <Toasts />
      {sheet && <SettingsSheet onClose={() => setSheet(false)} />}
    </>
  );
}

function ConnectionBar() {
  const away = useStore(lost);
  const waiting = useStore(busy);
  return (
    <div class="connection" role="status">
      {away ? (
        <p class="bar bad">
          <Icon name="warning" />
          {t("connection.lost")}
        </p>
      ) : (
        waiting && (
          <p class="bar">
            <span class="dot moving" aria-hidden="true" />
            {t("connection.busy")}
          </p>
        )
      )}
    </div>
  );
}
