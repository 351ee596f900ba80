// Pictures of each page of the navigation, light and dark, into docs/images: `npm run screenshots`, or with the names of
// some pages only, `npm run screenshots overview keys`. The README shows a few of them.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "@playwright/test";
import config from "../playwright.config.ts";
import type { Operator } from "./api.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { fill, visit } from "./lively.ts";

const folder = join(import.meta.dirname, "../../docs/images");
/** Requests before the first picture: enough for charts and lists. */
const visits = 120;
const wanted = process.argv.slice(3);

mkdirSync(folder, { recursive: true });
const gateway = await startGateway();
try {
  const operator = await fill(gateway);
  for (let turn = 0; turn < visits; turn += 1) await visit(gateway, turn);
  const browser = await chromium.launch(config.use?.launchOptions);
  for (const scheme of ["light", "dark"] as const) await takeAll(browser, gateway, operator, scheme);
  await browser.close();
} finally {
  await gateway.stop();
}

async function takeAll(browser: Browser, { url }: Gateway, operator: Operator, colorScheme: "light" | "dark") {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport, colorScheme, locale: "en-GB", reducedMotion: "reduce" });
  await context.addCookies([{ name: "keymux_session", value: operator.session, url, httpOnly: true }]);
  const page = await context.newPage();
  await page.goto(url);
  for (const path of await pathsOf(page)) {
    const name = path.slice(1) || "overview";
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await page.goto(url + path);
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
    console.log(`docs/images/${name}-${colorScheme}.png`);
  }
  await context.close();
}

/** The pages that the navigation leads to, without the documents of the API, which open beside it. */
async function pathsOf(page: Page): Promise<string[]> {
  const links = page.getByRole("navigation").locator("a:not([target])");
  await links.first().waitFor();
  return links.evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).pathname));
}

/** Until what is shown has come: nothing is loading any more. */
async function settled(page: Page) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-busy='true']") === null);
  await page.evaluate(() => document.fonts.ready);
}
