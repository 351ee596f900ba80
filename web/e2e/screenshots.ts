// Pictures of every page, and of what opens in some, into docs/images: light and dark, on a desk and on a phone.
//   npm run screenshots                            all of them; the gateway works for ten minutes first, so that charts have shape
//   npm run screenshots overview-light keys        those whose names begin so
//   SCREENSHOT_MINUTES=1 npm run screenshots       sooner
// README.md shows a few of them; the others are for whoever works on the pages, and not in git.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "@playwright/test";
import config from "../playwright.config.ts";
import { enter } from "./api.ts";
import { startGateway } from "./gateway.ts";
import { LiveCaller } from "./liveCaller.ts";
import { fill, type Lively, lively, visit } from "./lively.ts";

const folder = join(import.meta.dirname, "../../docs/images");
const minutes = Number(process.env.SCREENSHOT_MINUTES ?? 10);
const wanted = process.argv.slice(3);

const desk: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const screens = { "": desk, "-phone": phone };

mkdirSync(folder, { recursive: true });
const gateway = await startGateway({ ...lively, proxies: ["http", "socks5"] });
try {
  const filled = await fill(gateway);
  await filled.operator.call("PUT", "/api/settings", { "egress.proxies": [...gateway.proxies, "http://127.0.0.1:9"] });
  const browser = await chromium.launch(config.use?.launchOptions);
  const callers = await browser.newContext();
  await talk(callers, filled);
  await work(filled);
  for (const scheme of ["light", "dark"] as const)
    for (const [screen, options] of Object.entries(screens))
      await takeAll(browser, filled, `${screen}-${scheme}`, { ...options, colorScheme: scheme });
  await browser.close();
} finally {
  await gateway.stop();
}

/** Lets callers come and go, in waves. */
async function work(filled: Lively) {
  const end = Date.now() + minutes * 60_000;
  const underway = new Set<Promise<void>>();
  for (let turn = 0; Date.now() < end; turn += 1) {
    const call = visit(filled, turn).finally(() => underway.delete(call));
    underway.add(call);
    await sleep(260 + 180 * Math.sin(turn / 90) + 60 * Math.sin(turn / 7));
  }
  await Promise.all(underway);
}

async function talk(callers: BrowserContext, { gateway, apps }: Lively) {
  const beside = await callers.newPage();
  for (const app of [apps.chat, apps.support]) {
    const caller = await LiveCaller.connect(beside, gateway, app);
    for (const words of ["hello", "what is on my list today?"]) await caller.say(words);
  }
}

async function takeAll(browser: Browser, filled: Lively, suffix: string, options: BrowserContextOptions) {
  const { gateway, operator } = filled;
  const context = await browser.newContext({ ...options, locale: "en-GB", reducedMotion: "reduce" });
  const page = await context.newPage();
  for (const [view, path] of Object.entries(await viewsOf(filled))) {
    const name = `${view}${suffix}`;
    if (wanted.length > 0 && !wanted.some((beginning) => name.startsWith(beginning))) continue;
    if (view !== "login") await enter(page, gateway, operator);
    await page.goto(gateway.url + path);
    await settled(page);
    const file = join(folder, `${name}.png`);
    await page.screenshot({ path: file });
    shrink(file);
    console.log(`docs/images/${name}.png`);
  }
  await context.close();
}

/** What pictures are taken of, and where it is. */
async function viewsOf({ operator }: Lively): Promise<{ [view: string]: string }> {
  type Rows = { items: { id: number | string; name?: string; attempts?: number; status?: number }[] };
  const find = async (path: string, is: (row: Rows["items"][number]) => boolean) =>
    ((await operator.call("GET", path)) as Rows).items.find(is)?.id;
  const pages = [
    "keys",
    "models",
    "requests",
    "live",
    "resources",
    "clients",
    "users",
    "activity",
    "playground",
    "bans",
  ];
  return {
    login: "/",
    overview: "/?range=15m",
    ...Object.fromEntries([...pages, "proxies", "settings"].map((name) => [name, `/${name}`])),
    key: `/keys?key=${await find("/api/keys?q=support-3", () => true)}`,
    request: `/requests?request=${await find("/api/request_logs?limit=500", (row) => (row.attempts ?? 0) > 1 && row.status === 200)}`,
    client: `/clients?client=${await find("/api/allowed_keys", ({ name }) => name === "support bot")}`,
  };
}

/** Until what is shown has come: nothing is loading any more. */
async function settled(page: Page) {
  await page.getByRole("heading").first().waitFor();
  await sleep(1_000);
  await page.waitForFunction(() => document.querySelector("[aria-busy='true']") === null);
  await page.evaluate(() => document.fonts.ready);
}

/** Fewer colours: a picture of flat surfaces needs no more, and is a third as large. */
function shrink(file: string) {
  try {
    execFileSync("pngquant", ["--force", "--strip", "--speed", "1", "--output", file, "128", file]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    console.warn("pngquant is missing: pictures stay large; apt-get install pngquant");
  }
}
