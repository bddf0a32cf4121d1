// Products: found by typing, changed in place, added with five photos.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Product } from "../api/types";
import { ask, complain, loadProducts, products, settings, tell } from "../look/shared";
import { useStore } from "../look/store";
import { Empty } from "../parts/choices";
import { Icon } from "../parts/icons";
import { t } from "../text/translate";
import { AddProduct } from "./add_product";
import { GalleryLine } from "./gallery_line";
import { ProductRow } from "./product_row";

const PAGE = 60;

export function ProductsScreen() {
  const all = useStore(products);
  const shop = useStore(settings)!;
  const [text, setText] = useState("");
  const [retired, setRetired] = useState(false);
  const [found, setFound] = useState<string[] | null>(null);
  const [most, setMost] = useState(PAGE);
  const [adding, setAdding] = useState<{ product: Product | null } | null>(null);
  const manager = shop.role === "manager";

  useEffect(() => {
    if (!text.trim()) {
      setFound(null);
      return;
    }
    const timer = setTimeout(() => {
      api.products(text.trim(), true).then((answer) => setFound(answer.products.map(({ sku }) => sku)), complain);
    }, 150);
    return () => clearTimeout(timer);
  }, [text, all]);

  const bySku = new Map(all.map((product) => [product.sku, product]));
  const ordered = found
    ? found.flatMap((sku) => bySku.get(sku) ?? [])
    : [...all].sort((a, b) => a.title.localeCompare(b.title));
  const shown = ordered.filter((product) => retired || !product.retired);
  const hidden = all.filter((product) => product.retired).length;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.products")}</h1>
        {manager && (
          <div class="row wrap">
            <Csv />
            <button type="button" class="primary" onClick={() => setAdding({ product: null })}>
              <Icon name="plus" />
              {t("products.add")}
            </button>
          </div>
        )}
      </div>
      <div class="row wrap page-tools">
        <div class="field-with-icon grow">
          <Icon name="search" />
          <input
            type="search"
            aria-label={t("products.search")}
            placeholder={t("products.search")}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        {hidden > 0 && (
          <label class="check">
            <input type="checkbox" checked={retired} onChange={(event) => setRetired(event.currentTarget.checked)} />
            <span>{t("products.show_retired", { count: hidden })}</span>
          </label>
        )}
      </div>
      <p class="muted small" role="status">
        {t("products.count", { count: shown.length })}
      </p>
      {shown.length === 0 ? (
        <Empty icon="box" title={text ? t("find.none") : t("products.none")} />
      ) : (
        <ul class="products">
          {shown.slice(0, most).map((product) => (
            <ProductRow
              key={product.sku}
              product={product}
              editable={manager}
              currency={shop.currency}
              onPhotos={shop.can_add_products ? () => setAdding({ product }) : undefined}
            />
          ))}
        </ul>
      )}
      {shown.length > most && (
        <button type="button" class="wide-button" onClick={() => setMost(most + PAGE)}>
          {t("show_more")}
        </button>
      )}
      {manager && shop.can_add_products && <GalleryLine />}
      {adding && <AddProduct product={adding.product} onClose={() => setAdding(null)} />}
    </div>
  );
}

function Csv() {
  const field = useRef<HTMLInputElement>(null);
  const [reading, setReading] = useState(false);
  const read = async (file: File) => {
    setReading(true);
    try {
      const told = await ask(() => api.importProducts(file));
      await loadProducts();
      tell(t("csv.read", { added: told.added, changed: told.changed, unchanged: told.unchanged }));
    } catch (error) {
      complain(error);
    } finally {
      setReading(false);
    }
  };
  return (
    <>
      <a class="button" href="/v1/products.csv" download="products.csv">
        <Icon name="down" />
        {t("csv.export")}
      </a>
      <button type="button" disabled={reading} onClick={() => field.current?.click()}>
        <Icon name="up" />
        {t("csv.import")}
      </button>
      <input
        ref={field}
        class="visually-hidden"
        type="file"
        tabIndex={-1}
        accept=".csv,text/csv"
        aria-label={t("csv.import")}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) void read(file);
        }}
      />
    </>
  );
}
