// How the dashboard fares with very much: a database of 100,000 keys and a million records, and each page in Chromium, with
// how long it takes until it can be used, what its largest answer is, and its slowest call. Fails when a page takes more than
// two seconds, or an answer is larger than a megabyte.
//   cargo build --release --bin keymux --bin fake-upstream && cargo build --release -p store --examples
//   npm run large
//   npm run large -- --keys 10000 --records 100000 --only keys
//   npm run large -- --database /var/tmp/large    fills a database there the first time, and works on a copy of it

import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "@playwright/test";
import config from "../playwright.config.ts";
import { Operator } from "./api.ts";
import { startGateway } from "./gateway.ts";
import { type Answer, Network } from "./network.ts";

const { values: flags } = parseArgs({
  args: process.argv.slice(3),
  options: {
    keys: { type: "string", default: "100000" },
    records: { type: "string", default: "1000000" },
    /** How often each page is opened; the median counts. */
    times: { type: "string", default: "3" },
    /** The folder of a database that is kept. */
    database: { type: "string", default: "" },
    /** Only pages whose name has this text. */
    only: { type: "string", default: "" },
  },
});
const longestMs = 2_000;
const largestBytes = 1_000_000;
/** Pages of 100 rows that are scrolled through. */
const scrolls = 20;
/** The master key of the examples that fill databases. */
const masterKey = "5".repeat(64);

/** A page, and what is done there once it can be used. */
type Visit = { name: string; path: string; act?: (page: Page) => Promise<void>; isPressed?: boolean };

type Outcome = { name: string; ms: number; answers: Answer[] };

const gateway = await startGateway({
  providers: (url) =>
    ["openai", "anthropic"].map((name) => `  ${name}: { kind: openai, base_url: "${url}", keys: [] }\n`).join(""),
  database: fill,
});
let hasFailed = false;
try {
  const operator = await Operator.logIn(gateway);
  const browser = await chromium.launch(config.use?.launchOptions);
  console.log(
    `| page | usable, ms | slowest call, ms | largest answer, KiB (of it transferred) |\n|---|---:|---:|---:|`,
  );
  for (const visit of (await visits(operator)).filter(({ name }) => name.includes(flags.only))) {
    const outcomes: Outcome[] = [];
    for (let time = 0; time < Number(flags.times); time += 1) outcomes.push(await measure(browser, operator, visit));
    tell(outcomes);
  }
  await browser.close();
  if (flags.only === "") await walk(operator);
} finally {
  await gateway.stop();
}
if (hasFailed) process.exitCode = 1;

/** Brings a filled database into the folder; gives its master key. */
function fill(folder: string): string {
  const kept = flags.database;
  if (kept === "") return fillNew(folder);
  if (!existsSync(join(kept, "keymux.db"))) fillNew(kept);
  cpSync(kept, folder, { recursive: true });
  return masterKey;
}

function fillNew(folder: string): string {
  const url = `sqlite:${join(folder, "keymux.db")}`;
  const examples = join(import.meta.dirname, "../../target", process.env.KEYMUX_PROFILE ?? "debug", "examples");
  const options: ExecFileSyncOptions = { stdio: ["ignore", "inherit", "inherit"] };
  execFileSync(join(examples, "keys"), ["fill", url, flags.keys], options);
  execFileSync(join(examples, "records"), ["fill", url, flags.records, flags.keys], options);
  return masterKey;
}

async function visits(operator: Operator): Promise<Visit[]> {
  const { items } = (await operator.call("GET", "/api/request_logs?limit=1&failed=true")) as {
    items: { id: string }[];
  };
  const request = items[0]?.id;
  const monthAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const tab = (name: string) => (page: Page) =>
    page.getByRole("dialog").getByRole("tab", { name, exact: true }).click();
  return [
    { name: "overview", path: "/" },
    { name: "overview, 30 days", path: "/?range=30d" },
    { name: "keys", path: "/keys" },
    { name: "keys, search in all", path: "/keys?q=key-0999" },
    { name: "keys, search in vain", path: "/keys?q=none-such" },
    { name: "keys, search as it is typed", path: "/keys", act: typed("Search keys", "key-0777"), isPressed: true },
    { name: "keys, filter by state", path: "/keys?status=cooling" },
    { name: "keys, sorted by name", path: "/keys?sort=-label" },
    { name: "keys, sorted by latency", path: "/keys?sort=-latency_ms" },
    { name: `keys, ${scrolls} pages scrolled`, path: "/keys", act: scrolled },
    { name: "keys, one key", path: "/keys?key=77" },
    { name: "keys, checks of one", path: "/keys?key=77", act: tab("Checks"), isPressed: true },
    { name: "keys, requests of one", path: "/keys?key=77", act: tab("Requests"), isPressed: true },
    { name: "keys, history of one", path: "/keys?key=77", act: tab("History"), isPressed: true },
    { name: "keys, one edited", path: "/keys?key=77", act: tab("Edit"), isPressed: true },
    { name: "models", path: "/models" },
    { name: "models, filter by state", path: "/models?status=cooling" },
    { name: `models, ${scrolls} pages scrolled`, path: "/models", act: scrolled },
    { name: "models, one of one key", path: "/models?key=1&model=gemini-2.5-flash" },
    { name: "requests", path: "/requests" },
    { name: "requests, one", path: `/requests?request=${request}` },
    { name: "requests, failed", path: "/requests?status=failed" },
    { name: "requests, of a status", path: "/requests?status=5xx" },
    { name: "requests, of a model", path: "/requests?model=gpt-5" },
    { name: "requests, of a client", path: "/requests?client=7" },
    { name: "requests, of a key", path: "/requests?key=77" },
    { name: "requests, of a client and a key", path: "/requests?client=7&key=77&status=failed" },
    { name: "requests, search", path: "/requests?q=rate_limited" },
    { name: "requests, search in vain", path: "/requests?q=none-such" },
    { name: "requests, of the first day", path: `/requests?from=${monthAgo(29.9)}&to=${monthAgo(29)}` },
    { name: `requests, ${scrolls} pages scrolled`, path: "/requests", act: scrolled },
    { name: "live", path: "/live" },
    { name: "resources", path: "/resources" },
    { name: "clients", path: "/clients" },
    { name: "clients, one", path: "/clients?client=7" },
    { name: "clients, requests of one", path: "/clients?client=7", act: tab("Requests"), isPressed: true },
    { name: "users", path: "/users" },
    { name: "users, one", path: "/users?user=3" },
    { name: "activity", path: "/activity" },
    { name: "activity, search", path: "/activity?q=invented" },
    { name: "activity, search in vain", path: "/activity?q=none-such" },
    { name: "playground", path: "/playground" },
    { name: "bans", path: "/bans" },
    { name: "proxies", path: "/proxies" },
    { name: "settings", path: "/settings" },
  ];
}

/** Opens a page as somebody does who comes for the first time: nothing is in the browser's cache. */
async function measure(browser: Browser, operator: Operator, { name, path, act, isPressed }: Visit): Promise<Outcome> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  await context.addCookies([{ name: "keymux_session", value: operator.session, url: gateway.url, httpOnly: true }]);
  const page = await context.newPage();
  const network = new Network(page);
  let began = performance.now();
  await page.goto(gateway.url + path, { waitUntil: "commit" });
  await usable(page);
  let ms = performance.now() - began;
  if (act) {
    await network.quiet();
    began = performance.now();
    await act(page);
    await usable(page);
    // What is scrolled through is no single wait: what counts there is each call.
    if (isPressed) ms = performance.now() - began;
  }
  await network.quiet();
  const answers = await network.answers();
  await context.close();
  return { name, ms, answers };
}

/** Until there is a heading, and nothing that is on its way. */
async function usable(page: Page) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-busy='true']") === null);
}

function typed(label: string, text: string) {
  return async (page: Page) => {
    const found = page.waitForResponse((response) => response.url().includes(`q=${text}`));
    await page.getByLabel(label).fill(text);
    await found;
    await page.locator("tbody tr[data-index]").first().waitFor();
  };
}

/** Down, until so many pages of rows have come. */
async function scrolled(page: Page) {
  const down = (least: number) => {
    const frame = document.querySelector("section:has(> table)");
    frame?.scrollTo({ top: frame.scrollHeight });
    const rows = [...document.querySelectorAll("tr[aria-rowindex]")].map((row) => Number(row.ariaRowIndex));
    return Math.max(...rows) >= least;
  };
  const total = Number(await page.locator("section > table").getAttribute("aria-rowcount"));
  for (let turn = 1; turn <= scrolls; turn += 1) {
    const least = turn * 100;
    await page.waitForFunction(down, total > 0 ? Math.min(total, least) : least);
    await usable(page);
  }
}

function tell(outcomes: Outcome[]) {
  const [first] = outcomes;
  if (!first) return;
  const ms = median(outcomes.map((outcome) => outcome.ms));
  const answers = outcomes.flatMap((outcome) => outcome.answers);
  const slowest = largestBy(
    answers.filter(({ isCall }) => isCall),
    (answer) => answer.ms,
  );
  const largest = largestBy(answers, (answer) => answer.decoded);
  const isSlow = ms > longestMs || (slowest?.ms ?? 0) > longestMs;
  const isLarge = (largest?.decoded ?? 0) > largestBytes;
  hasFailed ||= isSlow || isLarge;
  const call = slowest ? `${slowest.ms.toFixed(0)} \`${shortened(slowest.path)}\`` : "–";
  const size = largest ? `${kib(largest.decoded)} (${kib(largest.transferred)}) \`${shortened(largest.path)}\`` : "–";
  console.log(`| ${first.name} | ${ms.toFixed(0)}${isSlow ? " ✗" : ""} | ${call} | ${size}${isLarge ? " ✗" : ""} |`);
}

/** Goes through the longest lists from one end to the other, 500 rows a call. */
async function walk(operator: Operator) {
  console.log("\n| list | rows | calls | slowest call, ms | largest answer, KiB |\n|---|---:|---:|---:|---:|");
  for (const path of ["/api/keys", "/api/keys/standings", "/api/request_logs", "/api/activity_logs"]) {
    let [rows, calls, slowest, largest] = [0, 0, 0, 0];
    for (let cursor: string | null = ""; cursor !== null; calls += 1) {
      const began = performance.now();
      const page = (await operator.call("GET", `${path}?limit=500&cursor=${cursor}`)) as {
        items: object[];
        next_cursor: string | null;
      };
      slowest = Math.max(slowest, performance.now() - began);
      largest = Math.max(largest, JSON.stringify(page).length);
      rows += page.items.length;
      cursor = page.next_cursor;
    }
    hasFailed ||= slowest > longestMs || largest > largestBytes;
    console.log(`| \`${path}\` | ${rows} | ${calls} | ${slowest.toFixed(0)} | ${kib(largest)} |`);
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function largestBy<Value>(values: Value[], measure: (value: Value) => number): Value | undefined {
  return values.reduce<Value | undefined>(
    (most, value) => (most === undefined || measure(value) > measure(most) ? value : most),
    undefined,
  );
}

/** Without what differs from run to run. */
function shortened(path: string): string {
  const [name = "", query = ""] = path.split("?");
  const kept = query.split("&").filter((pair) => pair && !/^(limit|cursor|from|to)=/.test(pair));
  return [name.replace(/\/[0-9a-z]{13}$/, "/{id}"), kept.join("&")].filter(Boolean).join("?");
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0);
}
