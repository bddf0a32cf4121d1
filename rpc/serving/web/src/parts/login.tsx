// The key of a till or a manager, once; afterwards a cookie that scripts cannot read.
import { useState } from "preact/hooks";
import { api } from "../api/client";
import { ask, errorText, loadSettings } from "../look/shared";
import { t } from "../text/translate";

export function Login() {
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState("");
  const [sending, setSending] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    setWrong("");
    try {
      await ask(() => api.login(key.trim()));
      await loadSettings();
    } catch (error) {
      setWrong(errorText(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <form class="login" onSubmit={send}>
      <h1>{t("login.title")}</h1>
      <p class="muted">{t("login.how")}</p>
      <label class="field">
        <span class="label">{t("login.key")}</span>
        <input
          type="password"
          autocomplete="current-password"
          required
          value={key}
          aria-invalid={!!wrong}
          aria-describedby="login-wrong"
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <p id="login-wrong" class="problem" role="alert">
        {wrong}
      </p>
      <button type="submit" class="primary large" disabled={sending || !key.trim()}>
        {t("login.send")}
      </button>
    </form>
  );
}
