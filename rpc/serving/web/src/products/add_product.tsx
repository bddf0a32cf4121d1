// A product by five photos: the camera asks for one side after the other while the title is typed.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { PhotosAdded, Product } from "../api/types";
import { takePhoto, useCamera } from "../counter/device_camera";
import { useDraft } from "../look/draft";
import { preferences } from "../look/preferences";
import { ask, errorText, loadProducts, settings, tell } from "../look/shared";
import { useStore } from "../look/store";
import { Icon } from "../parts/icons";
import { Sheet } from "../parts/sheet";
import { centsOf } from "../text/money";
import { t, type Key } from "../text/translate";

export const SIDES = ["front", "back", "top", "turned", "lying"] as const;
const EMPTY = { title: "", price: "", ean: "" };

interface Shot {
  blob: Blob;
  url: string;
  name: string;
}

export function AddProduct({ product, onClose }: { product: Product | null; onClose: () => void }) {
  const shop = useStore(settings)!;
  const { device } = useStore(preferences);
  const [draft, setDraft, clearDraft] = useDraft("product", EMPTY);
  const [shots, setShots] = useState<Shot[]>([]);
  const [made, setMade] = useState<Product | null>(product);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState("");
  const [told, setTold] = useState<PhotosAdded | null>(null);
  const wanted = shop.can_add_products && !told;
  const { video, trouble, ready, again } = useCamera(wanted, device);
  const files = useRef<HTMLInputElement>(null);
  const all = useRef(shots);
  all.current = shots;
  useEffect(() => () => all.current.forEach(({ url }) => URL.revokeObjectURL(url)), []);

  const cents = centsOf(draft.price, shop.currency);
  const side = SIDES[shots.length];
  const add = (blobs: { blob: Blob; name: string }[]) =>
    setShots((now) => [...now, ...blobs.map((one) => ({ ...one, url: URL.createObjectURL(one.blob) }))].slice(0, 50));
  const shoot = async () => {
    if (!video.current || !ready) return;
    try {
      const blob = await takePhoto(video.current);
      add([{ blob, name: `${side ?? `photo_${shots.length + 1}`}.jpg` }]);
    } catch (error) {
      setProblem(errorText(error));
    }
  };
  const drop = (place: number) =>
    setShots((now) => {
      URL.revokeObjectURL(now[place]!.url);
      return now.filter((_, at) => at !== place);
    });

  const save = async (event: Event) => {
    event.preventDefault();
    if (cents === undefined) return setProblem(t("product.price_wrong"));
    setProblem("");
    setSaving(true);
    try {
      const values = { title: draft.title.trim(), price_cents: cents, ean: draft.ean.trim() || null };
      const target = made ?? (await ask(() => api.addProduct(values)));
      setMade(target);
      if (shots.length) setTold(await ask(() => api.addPhotos(target.sku, shots)));
      if (!product) clearDraft();
      await loadProducts();
      if (!shots.length) {
        tell(t("add_product.saved", { title: target.title }));
        onClose();
      }
    } catch (error) {
      setProblem(errorText(error));
    } finally {
      setSaving(false);
    }
  };

  const title = product ? t("add_product.photos_of", { title: product.title }) : t("products.add");
  if (told)
    return (
      <Sheet title={title} onClose={onClose} wide>
        <div class="added" role="status">
          <Icon name="check" />
          <p class="added-title">{t("add_product.done", { title: made?.title ?? "", count: told.added })}</p>
          <p class="muted">{t("add_product.next")}</p>
        </div>
        {told.left_out.length > 0 && (
          <div class="note">
            <p>{t("add_product.left_out", { count: told.left_out.length })}</p>
            <ul>
              {told.left_out.map(({ name, why }) => (
                <li key={name}>
                  {name}: {why}
                </li>
              ))}
            </ul>
          </div>
        )}
        <button type="button" class="primary large wide-button" onClick={onClose}>
          {t("done")}
        </button>
      </Sheet>
    );
  const ready_to_save = (product ? shots.length > 0 : draft.title.trim() !== "") && !saving;
  return (
    <Sheet title={title} onClose={onClose} wide>
      <form class="add-product" onSubmit={save}>
        {shop.can_add_products ? (
          <div class="shoot">
            <div class="view">
              <video ref={video} playsInline muted aria-label={t("camera.view")} />
              {trouble ? (
                <div class="view-note" role="alert">
                  <p>{t(`camera.${trouble}` as Key)}</p>
                  <button type="button" onClick={again}>
                    {t("try_again")}
                  </button>
                </div>
              ) : (
                <p class="shoot-side" role="status">
                  {side ? t("add_product.side", { place: shots.length + 1, side: t(`side.${side}`) }) : t("add_product.enough")}
                </p>
              )}
            </div>
            <div class="row">
              <button type="button" class={side ? "primary large grow" : "large grow"} disabled={!ready || saving} onClick={() => void shoot()}>
                <Icon name="camera" />
                {t("add_product.shoot")}
              </button>
              <button type="button" class="large" onClick={() => files.current?.click()}>
                <Icon name="photo" />
                {t("add_product.files")}
              </button>
              <input
                ref={files}
                class="visually-hidden"
                type="file"
                accept="image/*"
                multiple
                tabIndex={-1}
                aria-label={t("add_product.files")}
                onChange={(event) => {
                  add([...(event.currentTarget.files ?? [])].map((file) => ({ blob: file, name: file.name })));
                  event.currentTarget.value = "";
                }}
              />
            </div>
            <ol class="shots">
              {[...shots, ...SIDES.slice(shots.length).map(() => null)].map((shot, place) => (
                <li key={shot?.url ?? place}>
                  {shot ? (
                    <button type="button" class="shot" aria-label={t("add_product.drop", { place: place + 1 })} onClick={() => drop(place)}>
                      <img src={shot.url} alt="" />
                      <Icon name="close" />
                    </button>
                  ) : (
                    <span class="shot none">{t(`side.${SIDES[place]!}`)}</span>
                  )}
                </li>
              ))}
            </ol>
          </div>
        ) : (
          <p class="note">{t("add_product.no_gallery")}</p>
        )}
        <div class="add-fields">
          {!product && (
            <>
              <label class="field">
                <span class="label">{t("product.title")}</span>
                <input
                  required
                  maxLength={200}
                  value={draft.title}
                  disabled={!!made}
                  onInput={(event) => setDraft({ ...draft, title: event.currentTarget.value })}
                />
              </label>
              <div class="row two">
                <label class="field">
                  <span class="label">{t("product.price")}</span>
                  <input
                    inputMode="decimal"
                    value={draft.price}
                    disabled={!!made}
                    aria-invalid={cents === undefined}
                    onInput={(event) => setDraft({ ...draft, price: event.currentTarget.value })}
                  />
                </label>
                <label class="field">
                  <span class="label">{t("product.ean_optional")}</span>
                  <input
                    inputMode="numeric"
                    value={draft.ean}
                    disabled={!!made}
                    onInput={(event) => setDraft({ ...draft, ean: event.currentTarget.value })}
                  />
                </label>
              </div>
            </>
          )}
          <p class="problem" role="alert">
            {problem || (cents === undefined ? t("product.price_wrong") : "")}
          </p>
          {shop.can_add_products && <p class="muted small">{t("add_product.advice")}</p>}
          <button type="submit" class={side && shop.can_add_products ? "large wide-button" : "primary large wide-button"} disabled={!ready_to_save}>
            <Icon name="check" />
            {saving ? t("saving") : t("save")}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
