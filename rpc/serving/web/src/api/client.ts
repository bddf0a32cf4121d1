// One door to the HTTP API: errors as one plain line, a lost connection told apart from a refusal.
import type {
  ApiErrorBody, Camera, Correction, CsvRead, Gallery, Health, PhotosAdded, Product, Sale, SaleSummary, Settings,
  StoredEvent, Suggestion, Box,
} from "./types";

/** The server answered, and said no. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retryAfter = 0) {
    super(message);
  }
}

/** No answer came: the network or the server is away. */
export class ConnectionLost extends Error {}

export interface SaleFilter {
  state?: string;
  from?: string;
  to?: string;
  corrected?: string;
  before?: string;
  limit?: number;
}

export interface Transport {
  fetch: typeof fetch;
  cookie: () => string;
}

export function csrfToken(cookie: string): string | null {
  const found = /(?:^|;\s*)csrf=([^;]+)/.exec(cookie);
  return found ? decodeURIComponent(found[1]!) : null;
}

export function query(values: Record<string, string | number | boolean | undefined>): string {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

async function errorOf(answer: Response): Promise<ApiError> {
  const wait = Number(answer.headers.get("retry-after") ?? 0) || 0;
  try {
    const { error } = (await answer.json()) as ApiErrorBody;
    return new ApiError(answer.status, error.code, error.message, wait);
  } catch {
    return new ApiError(answer.status, `http_${answer.status}`, "", wait);
  }
}

const enc = encodeURIComponent;

export class Client {
  constructor(private readonly transport: Transport) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const sent: Record<string, string> = { ...headers };
    let payload: BodyInit | undefined;
    if (body instanceof Blob || body instanceof FormData || typeof body === "string") payload = body;
    else if (body !== undefined) {
      payload = JSON.stringify(body);
      sent["content-type"] = "application/json";
    }
    const token = csrfToken(this.transport.cookie());
    if (method !== "GET" && token) sent["x-csrf-token"] = token;
    let answer: Response;
    try {
      answer = await this.transport.fetch(path, { method, body: payload, headers: sent, credentials: "same-origin" });
    } catch {
      throw new ConnectionLost();
    }
    if ([502, 504].includes(answer.status)) throw new ConnectionLost(); // a proxy without its server
    if (!answer.ok) throw await errorOf(answer);
    return answer;
  }

  private async json<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    return (await this.send(method, path, body, headers)).json() as Promise<T>;
  }

  settings = () => this.json<Settings>("GET", "/v1/settings");
  login = (key: string) => this.send("POST", "/v1/session", { key });
  logout = () => this.send("DELETE", "/v1/session");

  sell(photo: Blob, key: string): Promise<Sale> {
    const type = photo.type.startsWith("image/") ? photo.type : "image/jpeg";
    return this.json("POST", "/v1/sales", photo, { "content-type": type, "idempotency-key": key });
  }
  sellFromCamera = (key: string) =>
    this.json<Sale>("POST", "/v1/sales", { source: "camera" }, { "idempotency-key": key });
  sales = (filter: SaleFilter) =>
    this.json<{ sales: SaleSummary[]; next: string | null }>("GET", `/v1/sales${query({ ...filter })}`);
  sale = (id: string) => this.json<Sale>("GET", `/v1/sales/${enc(id)}`);
  saleEvents = (id: string) => this.json<StoredEvent[]>("GET", `/v1/sales/${enc(id)}/events`);
  /** `key`: the same for every try; browsers repeat a request by themselves when a connection ends without an answer. */
  correct = (id: string, correction: Correction, key: string) =>
    this.json<Sale>("POST", `/v1/sales/${enc(id)}/corrections`, correction, { "idempotency-key": key });
  suggest = (id: string, point: [number, number]) =>
    this.json<Suggestion>("POST", `/v1/sales/${enc(id)}/suggest`, { point });
  accept = (id: string) => this.json<Sale>("POST", `/v1/sales/${enc(id)}/accept`, {});
  void = (id: string) => this.json<Sale>("POST", `/v1/sales/${enc(id)}/void`, {});
  reopen = (id: string) => this.json<Sale>("POST", `/v1/sales/${enc(id)}/reopen`, {});

  products = (text = "", retired = false) =>
    this.json<{ products: Product[] }>("GET", `/v1/products${query({ query: text, retired })}`);
  addProduct = (values: { title: string; price_cents?: number | null; ean?: string | null }) =>
    this.json<Product>("POST", "/v1/products", values);
  changeProduct = (sku: string, values: Partial<Pick<Product, "title" | "price_cents" | "ean" | "retired">>) =>
    this.json<Product>("PATCH", `/v1/products/${enc(sku)}`, values);
  addPhotos(sku: string, photos: { blob: Blob; name: string }[]): Promise<PhotosAdded> {
    const form = new FormData();
    for (const { blob, name } of photos) form.append("photos", blob, name);
    return this.json("POST", `/v1/products/${enc(sku)}/photos`, form);
  }
  importProducts = (csv: string | Blob) =>
    this.json<CsvRead>("POST", "/v1/products.csv", csv, { "content-type": "text/csv" });
  gallery = () => this.json<Gallery>("GET", "/v1/gallery");
  undoGallery = () => this.json<Gallery>("POST", "/v1/gallery/undo", {});

  health = (days: number) => this.json<Health>("GET", `/v1/health${query({ days })}`);
  camera = () => this.json<Camera>("GET", "/v1/camera");
  async frame(): Promise<Blob> {
    return (await this.send("GET", `/v1/camera/frame.jpg`)).blob();
  }
}

export const api = new Client({
  fetch: (...given) => fetch(...given),
  cookie: () => document.cookie,
});

/** A box as whole pixels: what `add` sends. */
export function wholePixels(box: Box): Box {
  return box.map((value) => Math.round(value * 10) / 10) as Box;
}
