// Tests in a real Chromium against the real program: e2e/. The browser is the machine's own (scripts/need chromium).

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 2,
  // Generous, for machines that do something else too: nothing waits for these times to pass.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
      // Whoever is root has no sandbox of Chromium's; only this machine's own pages are opened.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
