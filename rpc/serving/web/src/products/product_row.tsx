// One product, changed in place: what was typed stays until the server has it.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Product } from "../api/types";
import { ask, errorText, products, tell } from "../look/shared";
import { Chip, Thumb } from "../parts/choices";
import { Icon } from "../parts/icons";
import { centsOf, money, priceField } from "../text/money";
import { t, useLanguage } from "../text/translate";

export interface RowProps {
  product: Product;
  editable: boolean;
  currency: string;
  onPhotos?: () => void;
}

type Change = Partial<Pick<Product, "title" | "price_cents" | "ean" | "retired">>;

export function ProductRow({ product, editable, currency, onPhotos }: RowProps) {
  const language = useLanguage();
  const [problem, setProblem] = useState("");
  const [saved, setSaved] = useState(false);
  const save = async (change: Change) => {
    setProblem("");
    try {
      const now = await ask(() => api.changeProduct(product.sku, change));
      products.set((all) => all.map((one) => (one.sku === now.sku ? now : one)));
      setSaved(true);
      setTimeout(() => setSaved(false), 2000);
      return true;
    } catch (error) {
      setProblem(errorText(error));
      return false;
    }
  };
  const retire = async (retired: boolean) => {
    if ((await save({ retired })) && retired)
      tell(t("products.retired_now", { title: product.title }), { label: t("undo"), run: () => void save({ retired: false }) });
  };
  return (
    <li class={product.retired ? "product retired" : "product"}>
      <Thumb photo={product.photo} title={product.title} />
      {editable ? (
        <>
          <Field
            name={t("product.title")}
            of={product.title}
            value={product.title}
            className="product-title"
            onSave={(text) => (text.trim() ? save({ title: text.trim() }) : t("product.title_missing"))}
          />
          <Field
            name={t("product.price")}
            of={product.title}
            value={priceField(product.price_cents, currency, language)}
            className="product-price"
            decimal
            onSave={(text) => {
              const cents = centsOf(text, currency);
              return cents === undefined ? t("product.price_wrong") : save({ price_cents: cents });
            }}
          />
          <Field
            name={t("product.ean")}
            of={product.title}
            value={product.ean ?? ""}
            className="product-ean"
            onSave={(text) => save({ ean: text.trim() || null })}
          />
        </>
      ) : (
        <>
          <span class="product-title plain">{product.title}</span>
          <span class="product-price plain">
            {product.price_cents === null ? t("no_price") : money(product.price_cents, currency, language)}
          </span>
          <span class="product-ean plain muted">{product.ean}</span>
        </>
      )}
      <span class="product-state">
        {product.retired ? (
          <Chip>{t("product.retired")}</Chip>
        ) : product.in_model ? (
          <Chip kind="good" icon="check">
            {t("product.known")}
          </Chip>
        ) : (
          <Chip kind="doubt" icon="warning">
            {t("product.unknown")}
          </Chip>
        )}
        {product.photos > 0 && <span class="muted small product-photos">{t("product.photos", { count: product.photos })}</span>}
      </span>
      {editable && (
        <span class="product-tools">
          {onPhotos && !product.retired && (
            <button type="button" class="quiet round" aria-label={t("product.add_photos", { title: product.title })} onClick={onPhotos}>
              <Icon name="camera" />
            </button>
          )}
          <button
            type="button"
            class="quiet round"
            aria-label={t(product.retired ? "product.back" : "product.retire", { title: product.title })}
            onClick={() => void retire(!product.retired)}
          >
            <Icon name={product.retired ? "undo" : "bin"} />
          </button>
        </span>
      )}
      <span class="product-told" role="status">
        {saved && (
          <>
            <Icon name="check" />
            {t("saved")}
          </>
        )}
      </span>
      {problem && (
        <p class="product-problem problem" role="alert">
          {problem}
        </p>
      )}
    </li>
  );
}

interface FieldProps {
  name: string;
  of: string;
  value: string;
  className: string;
  decimal?: boolean;
  /** Saves, and says whether it did; a text says what is wrong with what was typed. */
  onSave: (text: string) => Promise<boolean> | string;
}

function Field({ name, of, value, className, decimal, onSave }: FieldProps) {
  const [text, setText] = useState(value);
  const [typed, setTyped] = useState(false);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    if (!typed) setText(value);
  }, [value, typed]);
  const done = async () => {
    if (!typed) return;
    if (text === value) return setTyped(false);
    const told = onSave(text);
    if (typeof told === "string") return setWrong(told);
    setWrong("");
    if (await told) setTyped(false);
  };
  return (
    <label class={`cell ${className}`}>
      <span class="cell-name">{name}</span>
      <input
        aria-label={`${name}: ${of}`}
        value={text}
        inputMode={decimal ? "decimal" : undefined}
        aria-invalid={!!wrong}
        title={wrong || undefined}
        onInput={(event) => {
          setTyped(true);
          setText(event.currentTarget.value);
        }}
        onBlur={() => void done()}
        onKeyDown={(event) => {
          if (event.key === "Enter") void done();
          if (event.key === "Escape") {
            setTyped(false);
            setWrong("");
            setText(value);
          }
        }}
      />
      {wrong && (
        <span class="problem small" role="alert">
          {wrong}
        </span>
      )}
    </label>
  );
}
