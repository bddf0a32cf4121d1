import { defineConfig } from "vitest/config";

// Pictures for the documentation: `python -m tests.serving.web.make_pictures` runs this.
export default defineConfig({
  test: { include: ["tests/pictures/*.test.ts"], fileParallelism: false, testTimeout: 300_000 },
});
