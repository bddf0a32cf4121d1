// The tray with its boxes. Everything here can also be done by the list, which is what keys and readers use.
import type { Box, Item, Sale } from "../api/types";
import { t } from "../text/translate";
import { cropOf, itemAt } from "./sale";

export interface PictureProps {
  url: string | null;
  sale: Sale;
  selected: number | null;
  marked: Box | null;
  onItem: (item: Item) => void;
  onPlace: (point: [number, number]) => void;
  locked?: boolean;
}

export function Picture({ url, sale, selected, marked, onItem, onPlace, locked }: PictureProps) {
  const { width, height } = sale;
  const tapped = (event: MouseEvent) => {
    const place = (event.currentTarget as SVGSVGElement).getBoundingClientRect();
    const scale = Math.min(place.width / width, place.height / height);
    const x = (event.clientX - place.left - (place.width - width * scale) / 2) / scale;
    const y = (event.clientY - place.top - (place.height - height * scale) / 2) / scale;
    if (x < 0 || y < 0 || x > width || y > height) return;
    const item = itemAt(sale.items, [x, y]);
    if (item) onItem(item);
    else if (!locked) onPlace([Math.round(x), Math.round(y)]);
  };
  const unit = Math.max(width, height) / 1000;
  const label = t("counter.picture", { count: sale.items.filter((item) => item.box).length });
  return (
    <svg class="picture" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} onClick={tapped}>
      {url ? (
        <image href={url} width={width} height={height} />
      ) : (
        <text class="picture-gone" x={width / 2} y={height / 2} font-size={34 * unit}>
          {t("counter.picture_gone")}
        </text>
      )}
      {sale.items.map((item) => item.box && <Mark key={item.id} item={item} box={item.box} unit={unit} selected={item.id === selected} />)}
      {marked && <rect class="mark place" {...corners(marked)} rx={10 * unit} />}
    </svg>
  );
}

function corners([x1, y1, x2, y2]: Box) {
  return { x: x1, y: y1, width: Math.max(1, x2 - x1), height: Math.max(1, y2 - y1) };
}

function Mark({ item, box, unit, selected }: { item: Item; box: Box; unit: number; selected: boolean }) {
  const kind = ["mark", item.open ? "open" : "sure", item.counted ? "" : "left-out", selected ? "selected" : ""].join(" ");
  const radius = 20 * unit;
  const [x, y] = [box[2] - radius * 0.6, box[1] + radius * 0.6];
  return (
    <g class={kind}>
      <rect class="halo" {...corners(box)} rx={10 * unit} />
      <rect class="edge" {...corners(box)} rx={10 * unit} />
      {item.open && (
        <>
          <circle class="badge" cx={x} cy={y} r={radius} />
          <text class="badge-text" x={x} y={y + 10 * unit} font-size={29 * unit}>
            ?
          </text>
        </>
      )}
    </g>
  );
}

/** One item cut out of the picture. */
export function Crop({ url, sale, box }: { url: string | null; sale: Sale; box: Box | null }) {
  if (!url || !box) return <span class="crop none" aria-hidden="true" />;
  const [x1, y1, x2, y2] = cropOf(box, sale.width, sale.height);
  return (
    <svg class="crop" viewBox={`${x1} ${y1} ${x2 - x1} ${y2 - y1}`} aria-hidden="true">
      <image href={url} width={sale.width} height={sale.height} />
    </svg>
  );
}
