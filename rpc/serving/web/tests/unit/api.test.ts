import { expect, test } from "vitest";
import { ApiError, Client, ConnectionLost, csrfToken, query } from "../../src/api/client";
import { CLOSED, listen, type Source } from "../../src/api/events";
import { pause, untilAnswered } from "../../src/api/retry";

function clientOf(answer: () => Response | Promise<Response>, cookie = "") {
  const asked: { path: string; init: RequestInit }[] = [];
  const fetched = (async (path: string, init: RequestInit) => {
    asked.push({ path, init });
    return answer();
  }) as unknown as typeof fetch;
  return { client: new Client({ fetch: fetched, cookie: () => cookie }), asked };
}

test("an error of the API keeps its code and its plain line", async () => {
  const body = JSON.stringify({ error: { code: "busy", message: "The queue is full." } });
  const { client } = clientOf(() => new Response(body, { status: 503, headers: { "retry-after": "2" } }));
  await expect(client.settings()).rejects.toMatchObject({ status: 503, code: "busy", message: "The queue is full.", retryAfter: 2 });
});

test("no answer, and an answer of a proxy without its server, are a lost connection", async () => {
  await expect(clientOf(() => Promise.reject(new TypeError("failed"))).client.settings()).rejects.toBeInstanceOf(ConnectionLost);
  await expect(clientOf(() => new Response("", { status: 502 })).client.settings()).rejects.toBeInstanceOf(ConnectionLost);
});

test("only what changes something carries the token, and names are made safe for an address", async () => {
  const { client, asked } = clientOf(() => Response.json({ products: [] }), "a=1; csrf=t%3D1; session=x");
  await client.products("a&b", true);
  await client.changeProduct("../x", { title: "Tea" });
  expect(asked[0]!.path).toBe("/v1/products?query=a%26b&retired=true");
  expect(asked[0]!.init.headers).not.toHaveProperty("x-csrf-token");
  expect(asked[1]!.path).toBe("/v1/products/..%2Fx");
  expect(asked[1]!.init.headers).toHaveProperty("x-csrf-token", "t=1");
  expect([csrfToken(""), query({ a: undefined, b: "" })]).toEqual([null, ""]);
});

test("a job runs until the server answers, and is told that it may have arrived before", async () => {
  const told: boolean[] = [];
  const waits: number[] = [];
  const lost: boolean[] = [];
  const answer = await untilAnswered(
    async (again) => {
      told.push(again);
      if (told.length < 4) throw new ConnectionLost();
      return "here";
    },
    { wait: async (milliseconds) => void waits.push(milliseconds), onLost: (now) => lost.push(now) },
  );
  expect(answer).toBe("here");
  expect(told).toEqual([false, true, true, true]);
  expect(waits).toEqual([500, 1000, 2000]);
  expect(lost).toEqual([true, true, true, false]);
  expect(pause(30)).toBe(4000);
});

test("a busy server is waited for as long as it says; a refusal is not asked twice", async () => {
  const waits: number[] = [];
  let tries = 0;
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  await untilAnswered(async () => {
    if (++tries < 3) throw new ApiError(503, "busy", "", 2);
  }, { wait });
  expect(waits).toEqual([2000, 2000]);
  let asked = 0;
  const refused = untilAnswered(async () => {
    asked += 1;
    throw new ApiError(409, "not_open", "no");
  }, { wait });
  await expect(refused).rejects.toMatchObject({ code: "not_open" });
  expect(asked).toBe(1);
});

class Played implements Source {
  readyState = 0;
  closed = false;
  readonly heard = new Map<string, (event: { data?: string; lastEventId?: string }) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, heard: (event: { data?: string; lastEventId?: string }) => void) {
    this.heard.set(type, heard);
  }
  close() {
    this.closed = true;
  }
}

test("events go on after the last one heard when the browser has given up", () => {
  const sources: Played[] = [];
  const later: (() => void)[] = [];
  const seen: unknown[] = [];
  const states: boolean[] = [];
  const stop = listen({
    types: ["sale.counted"],
    onEvent: (type, event) => seen.push([type, event]),
    onState: (connected) => states.push(connected),
    open: (url) => {
      sources.push(new Played(url));
      return sources.at(-1)!;
    },
    later: (job) => later.push(job),
  });
  sources[0]!.heard.get("open")!({});
  sources[0]!.heard.get("sale.counted")!({ data: '{"seq":7}', lastEventId: "7" });
  sources[0]!.heard.get("sale.counted")!({ data: "broken", lastEventId: "8" });
  sources[0]!.heard.get("error")!({}); // the browser itself connects again
  expect(later).toHaveLength(0);
  sources[0]!.readyState = CLOSED;
  sources[0]!.heard.get("error")!({});
  later.pop()!();
  expect(sources.map(({ url }) => url)).toEqual(["/v1/events", "/v1/events?after=8"]);
  expect(seen).toEqual([["sale.counted", { seq: 7 }]]);
  expect(states).toEqual([true, false, false]);
  stop();
  expect(sources[1]!.closed).toBe(true);
  sources[1]!.readyState = CLOSED;
  sources[1]!.heard.get("error")!({});
  expect(later).toHaveLength(0);
});
