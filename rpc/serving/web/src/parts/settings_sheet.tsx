// Language, theme, keys, and what runs here.
import { api } from "../api/client";
import { HELP } from "../counter/keys";
import { prefer, preferences } from "../look/preferences";
import { complain, loadSettings, settings } from "../look/shared";
import { useStore } from "../look/store";
import { t } from "../text/translate";
import { Choices } from "./choices";
import { Sheet } from "./sheet";

export function SettingsSheet({ onClose }: { onClose: () => void }) {
  const { language, theme, shortcuts } = useStore(preferences);
  const shop = useStore(settings);
  return (
    <Sheet title={t("settings.title")} onClose={onClose}>
      <div class="settings">
        <div class="setting">
          <span class="label">{t("settings.language")}</span>
          <Choices
            label={t("settings.language")}
            value={language}
            options={[
              { value: "en", label: "English" },
              { value: "de", label: "Deutsch" },
            ]}
            onChange={(value) => prefer({ language: value })}
          />
        </div>
        <div class="setting">
          <span class="label">{t("settings.theme")}</span>
          <Choices
            label={t("settings.theme")}
            value={theme}
            options={[
              { value: "system", label: t("theme.system") },
              { value: "light", label: t("theme.light") },
              { value: "dark", label: t("theme.dark") },
            ]}
            onChange={(value) => prefer({ theme: value })}
          />
        </div>
        <section>
          <h3>{t("keys.title")}</h3>
          <label class="check">
            <input type="checkbox" checked={shortcuts} onChange={(event) => prefer({ shortcuts: event.currentTarget.checked })} />
            <span>{t("keys.on")}</span>
          </label>
          <dl class="keys">
            {HELP.map(([keys, what]) => (
              <div key={what}>
                <dt>
                  {keys.map((key) => (key === "–" ? <span key={key}>–</span> : <kbd key={key}>{key}</kbd>))}
                </dt>
                <dd>{t(what)}</dd>
              </div>
            ))}
          </dl>
        </section>
        {shop && (
          <p class="muted small">
            {t("settings.about", { version: shop.version, model: shop.model })}
            {" "}
            {shop.keep_days > 0 ? t("settings.keep", { count: shop.keep_days }) : ""}
          </p>
        )}
        {shop?.needs_key && shop.role && (
          <button
            type="button"
            onClick={() => {
              api.logout().then(loadSettings, complain).finally(onClose);
            }}
          >
            {t("settings.logout")}
          </button>
        )}
      </div>
    </Sheet>
  );
}
