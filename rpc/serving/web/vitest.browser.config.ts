import { defineConfig } from "vitest/config";

// A real browser against a server: one after the other, on a machine that may be busy.
export default defineConfig({
  test: { include: ["tests/browser/*.test.ts"], fileParallelism: false, testTimeout: 240_000, hookTimeout: 60_000 },
});
