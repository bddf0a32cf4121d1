// What the counter names with, and the way back from the last photos that went in.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Gallery } from "../api/types";
import { ask, complain, loadProducts, onEvents, tell } from "../look/shared";
import { Icon } from "../parts/icons";
import { t } from "../text/translate";

export function GalleryLine() {
  const [gallery, setGallery] = useState<Gallery | null>(null);
  const [sure, setSure] = useState(false);
  useEffect(() => {
    let left = false;
    const load = () => api.gallery().then((found) => left || setGallery(found), () => undefined);
    void load();
    const quiet = onEvents((type) => type === "gallery.changed" && void load());
    return () => {
      left = true;
      quiet();
    };
  }, []);
  if (!gallery) return null;
  const takeBack = async () => {
    setSure(false);
    try {
      await ask(() => api.undoGallery());
      setGallery(await api.gallery());
      await loadProducts();
      tell(t("gallery.taken_back"));
    } catch (error) {
      complain(error);
    }
  };
  return (
    <div class="row wrap gallery-line">
      <span class="muted">{t("gallery.holds", { count: gallery.photos, skus: gallery.skus })}</span>
      {sure ? (
        <>
          <button type="button" class="danger" onClick={() => void takeBack()}>
            {t("gallery.sure")}
          </button>
          <button type="button" class="quiet" onClick={() => setSure(false)}>
            {t("cancel")}
          </button>
        </>
      ) : (
        <button type="button" class="quiet" onClick={() => setSure(true)}>
          <Icon name="undo" />
          {t("gallery.take_back")}
        </button>
      )}
    </div>
  );
}
