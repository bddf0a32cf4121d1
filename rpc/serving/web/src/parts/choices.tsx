// Small parts that several screens use.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";

/** One of a few, shown side by side. */
export function Choices<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; label: string; icon?: IconName }[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="choices" role="group" aria-label={props.label}>
      {props.options.map(({ value, label, icon }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {icon && <Icon name={icon} />}
          <span>{label}</span>
        </button>
      ))}
    </div>
  );
}

export function Chip({ kind, icon, children }: { kind?: "good" | "doubt" | "bad"; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class={kind ? `chip ${kind}` : "chip"}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A product's picture, or its first letter where there is none. */
export function Thumb({ photo, title }: { photo: string | null | undefined; title: string }) {
  return (
    <span class="thumb" aria-hidden="true">
      {photo ? <img src={photo} alt="" loading="lazy" /> : title.slice(0, 1).toUpperCase()}
    </span>
  );
}
