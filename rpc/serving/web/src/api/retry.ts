// A lost connection is not the cashier's fault: what was asked for is asked for again.
import { ApiError, ConnectionLost } from "./client";

export type Wait = (milliseconds: number) => Promise<void>;

export const sleep: Wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** 0.5 s, 1 s, 2 s, then every 4 s: short enough for a server that restarts. */
export function pause(tries: number): number {
  return Math.min(500 * 2 ** tries, 4000);
}

export interface Retrying {
  wait?: Wait;
  /** Told when a try found no server, and once more when one was found again. */
  onLost?: (lost: boolean) => void;
  /** Told how long a busy server asked us to wait. */
  onBusy?: (seconds: number) => void;
  stopped?: () => boolean;
}

/**
 * Runs `job` until the server answers. A refusal is thrown, a busy server is waited for.
 *
 * `job` is told whether an earlier try may have arrived without us seeing the answer.
 */
export async function untilAnswered<T>(job: (again: boolean) => Promise<T>, options: Retrying = {}): Promise<T> {
  const wait = options.wait ?? sleep;
  let lost = 0;
  let busy = 0;
  for (;;) {
    try {
      const answer = await job(lost > 0);
      if (lost) options.onLost?.(false);
      return answer;
    } catch (error) {
      if (options.stopped?.()) throw error;
      if (error instanceof ConnectionLost) {
        options.onLost?.(true);
        await wait(pause(lost++));
      } else if (error instanceof ApiError && error.code === "busy" && busy < 20) {
        if (lost) options.onLost?.(false);
        options.onBusy?.(error.retryAfter);
        await wait(Math.max(500, error.retryAfter * 1000));
        busy += 1;
      } else {
        if (lost) options.onLost?.(false);
        throw error;
      }
    }
  }
}
