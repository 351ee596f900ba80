// How the dashboard is built, and how it is served while it is worked on: README.md. The docs pages beside it, and what
// is done with the built files, are build.mjs.

import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import mantine from "postcss-preset-mantine";
import { defineConfig } from "vitest/config";
import { headScript } from "./build/headScript.ts";
import { themeVariables } from "./build/themeVariables.ts";

/** What the development server passes on to a running keymux. */
const keymux = process.env.KEYMUX_URL ?? "http://127.0.0.1:8000";
const passedOn = ["/api", "/openapi.json", "/docs", "/redoc", "/assets", "/v1", "/v1beta", "^/p/", "/health", "/ready"];

export default defineConfig({
  // Files are named relative to the page, so they are found below any path that a proxy puts keymux under.
  base: "./",
  plugins: [react(), themeVariables(), headScript("src/boot/scheme.js")],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  css: { postcss: { plugins: [mantine()] }, modules: { localsConvention: "camelCaseOnly" } },
  server: { proxy: Object.fromEntries(passedOn.map((path) => [path, { target: keymux, changeOrigin: false }])) },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // What is inlined would be `data:` addresses, which the page's policy does not allow everywhere.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name].[hash].js",
        chunkFileNames: "assets/[name].[hash].js",
        assetFileNames: "assets/[name].[hash][extname]",
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
    restoreMocks: true,
  },
});
