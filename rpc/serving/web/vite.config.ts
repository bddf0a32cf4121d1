import { defineConfig } from "vite";
import { stamp } from "./build_stamp.ts";

// Fixed names and no times: the same sources give the same bytes, which a test compares.
export default defineConfig({
  plugins: [stamp()],
  server: { proxy: { "/v1": process.env["COUNTER_URL"] ?? "http://127.0.0.1:8080" } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "assets/app.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "assets/app.css" : "assets/[name][extname]",
      },
    },
  },
});
