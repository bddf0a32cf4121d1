// What was typed outlives a reload, a lost connection and an expired session.
import { useState } from "preact/hooks";

export function useDraft<T>(name: string, empty: T): [T, (next: T) => void, () => void] {
  const key = `counter.draft.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      const kept = sessionStorage.getItem(key);
      return kept ? { ...empty, ...(JSON.parse(kept) as T) } : empty;
    } catch {
      return empty;
    }
  });
  const keep = (next: T) => {
    setValue(next);
    try {
      sessionStorage.setItem(key, JSON.stringify(next));
    } catch {
      // kept in memory then
    }
  };
  const clear = () => {
    setValue(empty);
    try {
      sessionStorage.removeItem(key);
    } catch {
      // nothing was kept
    }
  };
  return [value, keep, clear];
}
