// A stand-in for `rpc-checkout serve`, in memory: the same contract, for development and tests without Python.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import type { Correction, Product, Settings } from "../../src/api/types";
import { csvOf, firstProducts, readCsv } from "./products";
import { correct, readTray, Refusal, shown, suggest, TRAYS, type Kept } from "./sales";

export const ROOT = resolve(import.meta.dirname, "../../../../..");
export const STORE = join(ROOT, "examples/ministore");
const STATIC = join(ROOT, "rpc/serving/static");
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml", json: "application/json" };

/** Width and height in the header of a JPEG. */
export function sizeOf(photo: Buffer): [number, number] {
  if (photo.readUInt16BE(0) !== 0xffd8) throw new Refusal(422, "photo_unreadable", "photo: expected a JPEG or PNG. Choose another file.");
  for (let at = 2; at < photo.length - 9; at += 2 + photo.readUInt16BE(at + 2)) {
    const marker = photo[at + 1]!;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return [photo.readUInt16BE(at + 7), photo.readUInt16BE(at + 5)];
  }
  throw new Refusal(422, "photo_unreadable", "photo: the file ends too early. Choose another file.");
}

export interface FakeOptions {
  camera?: Settings["camera"];
  gallery?: boolean;
  demo?: boolean;
  needsKey?: boolean;
  /** Some days of sales, for pictures. */
  history?: boolean;
  countMs?: number;
}

export class Fake {
  readonly sales: Kept[] = [];
  readonly products: Map<string, Product>;
  readonly events: { seq: number; id: string; type: string; at: string; actor: string; till: string; sale: string | null; data: Record<string, unknown> }[] = [];
  private readonly listeners = new Set<ServerResponse>();
  private readonly keys = new Map<string, string>();
  private readonly thumbs = new Map<string, string>();
  private readonly hashes = new Map<string, string>();
  private readonly sessions = new Set<string>();
  /** Answers of this many requests are lost after they were carried out. */
  loseAnswers = 0;
  /** No request is answered. */
  away = false;
  constructor(readonly options: FakeOptions = {}) {
    for (const name of readdirSync(join(STORE, "exemplars")).sort()) {
      const sku = name.replace(/_camera.*/, "");
      if (/\.jpe?g$/.test(name) && !this.thumbs.has(sku)) this.thumbs.set(sku, join(STORE, "exemplars", name));
    }
    for (const { photo } of TRAYS) this.hashes.set(createHash("sha256").update(readFileSync(join(STORE, "val", photo))).digest("hex"), photo);
    this.products = firstProducts(new Set(this.thumbs.keys()));
    if (options.history) this.past();
  }

  private past() {
    for (let back = 6; back >= 0; back -= 1)
      for (let row = 0; row < 3 + ((back * 5) % 4); row += 1) {
        const sale = this.count(readFileSync(join(STORE, "val", TRAYS[(back + row) % TRAYS.length]!.photo)), row + 1, false);
        sale.created = new Date(Date.now() - back * 86_400_000 - (3 + row * 7) * 60_000);
        if ((back + row) % 3 === 0) correct(sale, { kind: "rename", item: 1, sku: "cup_noodle_1" }, this.products);
        for (const item of sale.items) item.open = false;
        sale.state = back === 2 && row === 1 ? "void" : "accepted";
        sale.accepted = new Date(sale.created.getTime() + 9_000);
      }
    this.sales.sort((a, b) => a.created.getTime() - b.created.getTime());
  }

  emit(type: string, sale: string | null, data: Record<string, unknown> = {}) {
    const event = { seq: this.events.length + 1, id: randomUUID(), type, at: new Date().toISOString(), actor: "Mira", till: "till 1", sale, data };
    this.events.push(event);
    for (const heard of this.listeners) heard.write(`id: ${event.seq}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  count(photo: Buffer, number = this.sales.length, tell = true): Kept {
    const [width, height] = sizeOf(photo);
    const name = this.hashes.get(createHash("sha256").update(photo).digest("hex")) ?? null;
    const sale: Kept = { ...readTray(name, number, width, height), id: `s${String(this.sales.length + 1).padStart(6, "0")}`, created: new Date(), picture: photo };
    this.sales.push(sale);
    if (tell) this.emit("sale.counted", sale.id);
    return sale;
  }

  sale(id: string): Kept {
    const found = this.sales.find((sale) => sale.id === id);
    if (!found) throw new Refusal(404, "not_found", `There is no sale ${id}.`);
    return found;
  }

  settings(role: Settings["role"]): Settings {
    const midnight = new Date().setHours(0, 0, 0, 0);
    const today = this.sales.filter((sale) => sale.state === "accepted" && sale.created.getTime() >= midnight);
    return {
      shop: "Corner Shop", till: "till 1", currency: "EUR", version: "0.1.0", model: "ministore", role, needs_key: !!this.options.needsKey,
      camera: this.options.camera ?? "none", can_add_products: this.options.gallery ?? true, demo: this.options.demo ?? false, keep_days: 30, languages: ["en", "de"],
      today: { trays: today.length, total_cents: today.reduce((sum, sale) => sum + shown(sale, this.products).total_cents, 0) },
    };
  }

  health(days: number) {
    const rows = Array.from({ length: days }, (_, back) => {
      const day = new Date(Date.now() - (days - 1 - back) * 86_400_000).toISOString().slice(0, 10);
      const own = this.sales.filter((sale) => sale.state === "accepted" && sale.created.toISOString().startsWith(day));
      return { day, trays: own.length, uncorrected: own.filter((sale) => !sale.corrections).length, passed: own.filter((sale) => sale.certainty > 0.9).length };
    });
    const sum = (key: "trays" | "uncorrected" | "passed") => rows.reduce((total, row) => total + row[key], 0);
    const trays = sum("trays");
    const history = this.options.history;
    return {
      days: rows, trays, uncorrected_share: trays ? sum("uncorrected") / trays : null, passed_share: trays ? sum("passed") / trays : null,
      passed_right_share: trays ? 0.97 : null,
      confused: history ? [
        { sku: "cup_noodle_1", title: "Nudori Chicken 65 g", read_as: "cup_noodle_0", read_as_title: "Nudori Beef 65 g", times: 5, last_sale: this.sales.at(-1)?.id ?? "" },
        { sku: "soda_can_0", title: "Fizzo Orange 330 ml", read_as: "soda_can_1", read_as_title: "Fizzo Lemon 330 ml", times: 2, last_sale: this.sales.at(-2)?.id ?? "" },
      ] : [],
      warnings: history ? [{ code: "pack_changed", text: "Nudori Chicken 65 g was corrected on 5 of its last 8 trays. Photograph it again.", sku: "cup_noodle_1", since: new Date(Date.now() - 2 * 86_400_000).toISOString() }] : [],
    };
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    if (this.away) return void request.socket.destroy();
    try {
      const body = await bodyOf(request);
      await this.route(request, response, url, body);
    } catch (error) {
      const refused = error instanceof Refusal ? error : new Refusal(500, "internal", String(error));
      send(response, refused.status, { error: { code: refused.code, message: refused.message } });
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer) {
    const method = request.method ?? "GET";
    const path = url.pathname;
    if (!path.startsWith("/v1/")) return page(response, path);
    const json = () => JSON.parse(body.toString("utf8") || "{}") as Record<string, unknown>;
    const session = /session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const role = !this.options.needsKey ? "manager" : this.sessions.has(session) ? "manager" : null;
    const reply = (status: number, value?: unknown) => {
      if (method !== "GET" && this.loseAnswers > 0) {
        this.loseAnswers -= 1;
        return void request.socket.destroy();
      }
      send(response, status, value);
    };
    if (path === "/v1/settings") return reply(200, this.settings(role));
    if (path === "/v1/session") {
      if (method === "DELETE") this.sessions.delete(session);
      else if (json()["key"] !== "till-key") throw new Refusal(401, "wrong_key", "This key is not known.");
      else {
        const made = randomUUID();
        this.sessions.add(made);
        response.setHeader("set-cookie", [`session=${made}; HttpOnly; SameSite=Strict; Path=/`, `csrf=c-${made}; SameSite=Strict; Path=/`]);
      }
      return reply(204);
    }
    if (!role) throw new Refusal(401, "no_key", "Sign in with a key first.");
    if (this.options.needsKey && method !== "GET" && request.headers["x-csrf-token"] !== `c-${session}`) throw new Refusal(403, "csrf", "The page is out of date: load it again.");
    if (path === "/v1/events") return this.stream(request, response, url);
    if (path === "/v1/health") return reply(200, this.health(Number(url.searchParams.get("days") ?? 7)));
    if (path.startsWith("/v1/camera")) {
      if (path.endsWith("frame.jpg")) return bytes(response, "image/jpeg", readFileSync(join(STORE, "val", TRAYS[this.sales.length % TRAYS.length]!.photo)));
      return reply(200, { state: "still", message: null, size: [1024, 1024] });
    }
    if (path.startsWith("/v1/gallery")) {
      const kept = [...this.products.values()].filter((one) => one.photos > 0);
      return reply(200, { generation: 1, skus: kept.length, photos: kept.reduce((sum, one) => sum + one.photos, 0), confirmed: [] });
    }
    if (path.startsWith("/v1/sales")) return this.saleRoute(request, response, url, body, reply, json);
    if (path.startsWith("/v1/products")) return this.productRoute(method, response, url, body, reply, json);
    throw new Refusal(404, "not_found", `There is no ${path}.`);
  }

  private stream(request: IncomingMessage, response: ServerResponse, url: URL) {
    const after = Number(request.headers["last-event-id"] ?? url.searchParams.get("after") ?? NaN);
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": here\n\n");
    for (const event of this.events.filter(({ seq }) => seq > after)) response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    this.listeners.add(response);
    request.on("close", () => this.listeners.delete(response));
  }

  private async saleRoute(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer, reply: (status: number, value?: unknown) => void, json: () => Record<string, unknown>) {
    const [, , , id, part] = url.pathname.split("/");
    const method = request.method;
    const view = (sale: Kept) => shown(sale, this.products);
    if (url.pathname === "/v1/sales.csv") return bytes(response, "text/csv", Buffer.from("sale,sku,count\n"));
    if (!id && method === "POST") {
      const key = String(request.headers["idempotency-key"] ?? randomUUID());
      const again = this.keys.get(key);
      if (again) return reply(201, view(this.sale(again)));
      await new Promise((done) => setTimeout(done, this.options.countMs ?? 60));
      const still = request.headers["content-type"]?.startsWith("application/json");
      const sale = this.count(still ? readFileSync(join(STORE, "val", TRAYS[this.sales.length % TRAYS.length]!.photo)) : body);
      this.keys.set(key, sale.id);
      return reply(201, view(sale));
    }
    if (!id) {
      const want = url.searchParams;
      const [from, to, corrected] = [want.get("from"), want.get("to"), want.get("corrected")];
      const found = [...this.sales].reverse().filter((sale) =>
        (!want.get("state") || sale.state === want.get("state")) && (!from || sale.created >= new Date(from)) && (!to || sale.created < new Date(to)) &&
        (!corrected || (sale.corrections > 0) === (corrected === "true")) && (!want.get("before") || sale.id < want.get("before")!));
      const limit = Number(want.get("limit") ?? 50);
      const sales = found.slice(0, limit).map((sale) => ({ ...view(sale), items: undefined, lines: undefined }));
      return reply(200, { sales, next: found.length > limit ? sales.at(-1)!.id : null });
    }
    const sale = this.sale(id);
    if (!part) return reply(200, view(sale));
    if (part === "picture") return sale.picture ? bytes(response, "image/jpeg", sale.picture) : reply(410, { error: { code: "picture_deleted", message: "This picture was deleted by age." } });
    if (part === "events") return reply(200, this.events.filter((event) => event.sale === id));
    if (part === "suggest") return reply(200, suggest(sale, json()["point"] as [number, number]));
    const key = request.headers["idempotency-key"];
    if (part === "corrections" && key && this.keys.has(`${id} ${String(key)}`)) return reply(200, view(sale));
    if (part === "corrections") {
      this.emit("sale.corrected", id, correct(sale, json() as Correction, this.products));
      this.keys.set(`${id} ${String(key)}`, id);
    } else {
      const reopened = part === "reopen";
      if ((sale.state === "open") === reopened) throw new Refusal(409, "not_open", "This sale is not open any more: reopen it first.");
      sale.state = part === "accept" ? "accepted" : reopened ? "open" : "void";
      sale.accepted = part === "accept" ? new Date() : null;
      this.emit({ accept: "sale.accepted", void: "sale.voided", reopen: "sale.reopened" }[part] ?? part, id);
    }
    return reply(200, view(sale));
  }

  private productRoute(method: string, response: ServerResponse, url: URL, body: Buffer, reply: (status: number, value?: unknown) => void, json: () => Record<string, unknown>) {
    const [, , , sku, part] = url.pathname.split("/").map(decodeURIComponent);
    const changed = (status: number, value: unknown) => {
      this.emit("product.changed", null, { sku });
      reply(status, value);
    };
    if (url.pathname === "/v1/products.csv") return method === "GET" ? bytes(response, "text/csv", Buffer.from(csvOf(this.products.values()))) : changed(200, readCsv(body.toString("utf8"), this.products));
    if (!sku && method === "GET") {
      const words = (url.searchParams.get("query") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
      const all = [...this.products.values()].filter((one) => words.every((word) => `${one.title} ${one.sku} ${one.ean}`.toLowerCase().includes(word)));
      return reply(200, { products: all.filter((one) => !one.retired || url.searchParams.get("retired") === "true") });
    }
    if (!sku) {
      const title = String(json()["title"] ?? "");
      const made = title.toLowerCase().replace(/\W+/g, "_");
      if (this.products.has(made)) throw new Refusal(409, "sku_taken", `There is a product ${made} already. Give another title or SKU.`);
      const product: Product = { sku: made, title, price_cents: null, ean: null, ...json(), retired: false, in_model: false, photos: 0, photo: null, changed_at: new Date().toISOString() };
      this.products.set(made, product);
      return changed(201, product);
    }
    const product = this.products.get(sku);
    if (!product) throw new Refusal(404, "not_found", `There is no product ${sku}.`);
    if (part === "photo") {
      const file = this.thumbs.get(sku);
      return file ? bytes(response, "image/jpeg", readFileSync(file)) : reply(404, { error: { code: "not_found", message: "No photo." } });
    }
    if (part === "photos") {
      const added = body.toString("latin1").split('name="photos"').length - 1;
      this.products.set(sku, { ...product, photos: product.photos + added, in_model: true });
      return changed(200, { added, left_out: [], generation: 2, seconds: 0.8 });
    }
    const now = { ...product, ...json(), changed_at: new Date().toISOString() };
    this.products.set(sku, now);
    return changed(200, now);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function send(response: ServerResponse, status: number, value?: unknown): void {
  response.writeHead(status, value === undefined ? {} : { "content-type": "application/json" });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

function bytes(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { "content-type": type });
  response.end(body);
}

function page(response: ServerResponse, path: string): void {
  const name = path === "/" ? "index.html" : path.slice(1);
  const file = resolve(STATIC, name);
  if (!file.startsWith(STATIC) || !existsSync(file)) return send(response, 404, { error: { code: "not_found", message: `There is no ${path}.` } });
  response.setHeader("content-security-policy", CSP);
  response.setHeader("cache-control", "no-cache");
  bytes(response, TYPES[name.split(".").at(-1)!] ?? "application/octet-stream", readFileSync(file));
}

/** Starts a fake on a free port of loopback. */
export function serve(fake: Fake, port = 0): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void fake.answer(request, response));
  return new Promise((done) =>
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      done({ server, url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : port}` });
    }),
  );
}
