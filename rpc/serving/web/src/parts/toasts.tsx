// Short messages: what was done, with a way back; errors stay until they are closed.
import { dismiss, toasts } from "../look/shared";
import { useStore } from "../look/store";
import { t } from "../text/translate";
import { Icon } from "./icons";

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div class="toasts">
      <div role="status">{shown.filter(({ kind }) => kind === "done").map((toast) => <Message key={toast.id} {...toast} />)}</div>
      <div role="alert">{shown.filter(({ kind }) => kind === "problem").map((toast) => <Message key={toast.id} {...toast} />)}</div>
    </div>
  );
}

function Message({ id, text, kind, action }: ReturnType<typeof toasts.get>[number]) {
  return (
    <div class={`toast ${kind}`}>
      <Icon name={kind === "done" ? "check" : "warning"} />
      <span class="grow">{text}</span>
      {action && (
        <button
          type="button"
          onClick={() => {
            dismiss(id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="quiet round" aria-label={t("close")} onClick={() => dismiss(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
