// Server-sent events that come back: EventSource gives up after an HTTP error, a counter must not.
import { pause } from "./retry";
import type { StoredEvent } from "./types";

export interface Source {
  addEventListener(type: string, heard: (event: { data?: string; lastEventId?: string }) => void): void;
  close(): void;
  readonly readyState: number;
}

export interface EventsOptions {
  types: readonly string[];
  onEvent: (type: string, event: StoredEvent | { data: Record<string, unknown> }) => void;
  onState: (connected: boolean) => void;
  open?: (url: string) => Source;
  later?: (job: () => void, milliseconds: number) => void;
}

export const CLOSED = 2;

/** Listens until the returned function is called; resumes after the last event that was heard. */
export function listen(options: EventsOptions): () => void {
  const open = options.open ?? ((url: string) => new EventSource(url) as unknown as Source);
  const later = options.later ?? ((job, milliseconds) => void setTimeout(job, milliseconds));
  let after = "";
  let tries = 0;
  let stopped = false;
  let source: Source | null = null;

  const connect = () => {
    if (stopped) return;
    const own = open(after ? `/v1/events?after=${encodeURIComponent(after)}` : "/v1/events");
    source = own;
    own.addEventListener("open", () => {
      tries = 0;
      options.onState(true);
    });
    own.addEventListener("error", () => {
      if (stopped || source !== own) return;
      options.onState(false);
      if (own.readyState !== CLOSED) return; // the browser connects again by itself
      source = null;
      later(connect, pause(tries++));
    });
    for (const type of options.types)
      own.addEventListener(type, (message) => {
        if (message.lastEventId) after = message.lastEventId;
        const read = parsed(message.data ?? "");
        if (read) options.onEvent(type, read);
      });
  };
  connect();
  return () => {
    stopped = true;
    source?.close();
  };
}

function parsed(text: string): StoredEvent | null {
  try {
    return JSON.parse(text) as StoredEvent;
  } catch {
    return null;
  }
}
