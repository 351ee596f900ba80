// Playground: a client key is shown or made, a model answers while one reads, is stopped, looks at pictures, fails.

import type { Page } from "@playwright/test";
import type { Operator } from "./api.ts";
import { clientKey, type Gateway, goodKeys } from "./gateway.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

/** A red dot. */
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==";

test.beforeEach(async ({ operator, gateway }) => {
  await operator.call("POST", "/api/keys/bulk_delete", { filter: {} });
  await operator.addKeys(goodKeys.slice(0, 3));
  await forgetRules(gateway);
});

test("a model answers as programs see it, with what that took", async ({ admin: page, gateway, operator }) => {
  await operator.call("PUT", "/api/prices/google?model=gemini-2.5-flash", { input: 0.3, output: 2.5 });
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash");
  await ask(page, "Say hello");
  const answer = page.getByRole("article", { name: "Answer of google/gemini-2.5-flash" });
  await expect(answer).toContainText("You said: Say hello");
  await expect(answer).toContainText("google, key");
  await expect(answer).toContainText(/first token .*s/);
  await expect(answer).toContainText("3 → 5 tokens");
  await expect(answer).toContainText("$0.0000");
  await expectAccessible(page);
  await expect(answer.getByRole("link", { name: "Details" })).toHaveAttribute("href", /requests\?request=\w+/);
  // The conversation is sent on, and is there after a reload; the client key is not.
  const sent = await sentBy(page, () => ask(page, "And then?"));
  await expect(page.getByRole("article", { name: /^Answer/ })).toHaveCount(2);
  await expect(page.getByText("The answer is complete")).toBeAttached();
  expect(sent.contents.map(({ role }) => role)).toEqual(["user", "model", "user"]);
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Client key" })).toBeVisible();
  await show(page, clientKey);
  await expect(page.getByRole("article", { name: /^Answer/ })).toHaveCount(2);
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByRole("heading", { name: "Ask a model something" })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("article", { name: /^Answer/ })).toHaveCount(2);
});

test("an answer is read while it comes, and stopped", async ({ admin: page, gateway, operator }) => {
  await rule(gateway, { stall_after_chunks: 2 });
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash");
  await ask(page, "Count to a hundred, slowly");
  const answer = page.getByRole("article", { name: /^Answer/ });
  await expect(answer).toContainText("You said");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(answer).toContainText("Stopped.");
  // keymux has noticed, and let go of the provider too.
  await expect.poll(() => lastError(operator)).toBe("client_gone");
  await forgetRules(gateway);
  await page.getByRole("button", { name: "Answer again" }).click();
  await expect(answer).toContainText("Count to a hundred");
  await expect(answer).toContainText("tokens");
});

test("a question is rewritten, and what came after it is asked anew", async ({ admin: page, gateway }) => {
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash");
  await ask(page, "one");
  await expect(page.getByText("You said: one")).toBeVisible();
  await ask(page, "two");
  await expect(page.getByText("You said: two")).toBeVisible();
  await page.getByRole("button", { name: "Edit the question" }).first().click();
  await page.getByRole("textbox", { name: "Edit the question" }).fill("three");
  await page.keyboard.press("Enter");
  await expect(page.getByText("You said: three")).toBeVisible();
  await expect(page.getByRole("article", { name: /^Answer/ })).toHaveCount(1);
});

test("markdown is drawn, and what looks like HTML is text", async ({ admin: page, gateway }) => {
  const text = [
    "# Keys",
    "- **two** `words`",
    "",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "",
    "```js\nlet x = 1;\n```",
    "",
    "<img src=x onerror=alert(1)> [bad](javascript:alert(1)) [good](https://example.com) ![far](https://example.com/a.png)",
  ].join("\n");
  await answerWith(gateway, [{ text: "I think of keys.", thought: true }, { text }]);
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash");
  await ask(page, "Draw");
  const answer = page.getByRole("article", { name: /^Answer/ });
  await expect(answer.getByRole("heading", { name: "Keys" })).toBeVisible();
  await expect(answer.getByRole("table")).toBeVisible();
  await expect(answer.getByRole("region", { name: "js" })).toContainText("let x = 1;");
  await expect(answer).toContainText("<img src=x onerror=alert(1)>");
  await expect(answer.locator("img")).toHaveCount(0);
  await expect(answer.getByRole("link", { name: "bad" })).toHaveCount(0);
  await expect(answer.getByRole("link", { name: "good" })).toHaveAttribute("href", "https://example.com");
  await expect(answer.getByText("I think of keys.")).toBeHidden();
  await answer.getByText("Reasoning", { exact: true }).click();
  await expect(answer.getByText("I think of keys.")).toBeVisible();
  await expectAccessible(page);
});

test("pictures go in by file and by paste, and come out", async ({ admin: page, gateway }) => {
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash-image");
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Add pictures" }).click();
  await (await chooser).setFiles({ name: "dot.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
  await expect(page.getByRole("img", { name: "Picture of the question" })).toHaveCount(1);
  await page.getByRole("textbox", { name: "Question" }).evaluate((field, data) => {
    const clipboardData = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, png);
  await expect(page.getByRole("img", { name: "Picture of the question" })).toHaveCount(2);
  await page.getByRole("button", { name: "Remove picture 2" }).click();
  await answerWith(gateway, [{ text: "Bluer:" }, { inlineData: { mimeType: "image/png", data: png } }]);
  const { contents, generationConfig } = await sentBy(page, () => ask(page, "Make it blue"));
  const drawn = page.getByRole("img", { name: "Picture by google/gemini-2.5-flash-image" });
  await expect(drawn).toBeVisible();
  await expect.poll(() => drawn.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(5);
  expect(contents[0]?.parts).toEqual([{ text: "Make it blue" }, { inlineData: { mimeType: "image/png", data: png } }]);
  expect(generationConfig?.responseModalities).toEqual(["TEXT", "IMAGE"]);
});

test("what goes wrong is explained, with the way on", async ({ admin: page, gateway }) => {
  await begin(page, gateway);
  await choose(page, "google/gemini-of-tomorrow");
  await ask(page, "Are you there?");
  const alert = page.getByRole("article", { name: /^Answer/ }).getByRole("alert");
  await expect(alert).toContainText("404: No such model");
  await expect(alert).toContainText("gemini-of-tomorrow");
  await expect(alert.getByRole("link", { name: "See what was tried" })).toHaveAttribute("href", /request=\w+/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Use another" }).click();
  await show(page, "sk-not-this-one");
  await expect(page.getByRole("alert")).toContainText("401: The client key is not accepted");
});

test("options are sent, and the request is there as code", async ({ admin: page, gateway }) => {
  await begin(page, gateway);
  await choose(page, "google/gemini-2.5-flash");
  await page.getByLabel("System prompt").fill("Be brief");
  await page.getByLabel("Temperature").fill("0.3");
  await page.getByLabel("Max tokens").fill("500");
  await page.getByRole("combobox", { name: "Reasoning" }).click();
  await page.getByRole("option", { name: "Low" }).click();
  const sent = await sentBy(page, () => ask(page, "Say 'hello'"));
  await expect(page.getByText("You said: Say 'hello'")).toBeVisible();
  expect(sent.systemInstruction).toEqual({ parts: [{ text: "Be brief" }] });
  expect(sent.generationConfig).toMatchObject({ temperature: 0.3, maxOutputTokens: 500 });
  await page.getByRole("button", { name: "Code" }).click();
  const dialog = page.getByRole("dialog", { name: "The same request as code" });
  const code = (name: string) => dialog.getByRole("region", { name });
  await expect(code("curl")).toContainText(`${gateway.url}/v1beta/models/gemini-2.5-flash:streamGenerateContent`);
  await expect(code("curl")).not.toContainText(clientKey);
  await dialog.getByRole("tab", { name: "Python" }).click();
  await expect(code("Python")).toContainText("from google import genai");
  await expect(code("Python")).toContainText(`"max_output_tokens": 500`);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.getByText("OpenAI", { exact: true }).click();
  await page.getByRole("button", { name: "Code" }).click();
  await dialog.getByRole("tab", { name: "JavaScript" }).click();
  await expect(code("JavaScript")).toContainText(`baseURL: "${gateway.url}/v1"`);
  await expect(code("JavaScript")).toContainText(`reasoning_effort: "low"`);
});

test("members make a key of their own, and talk with it", async ({ visitor: page, gateway, operator }) => {
  await enter(page, gateway, await operator.makeMember("ada"));
  await open(page, gateway, "/playground");
  await page.getByLabel("Keep it in this tab").check();
  await page.getByRole("button", { name: "Make a key for the playground" }).click();
  await choose(page, "google/gemini-2.5-flash");
  await ask(page, "Say hello");
  await expect(page.getByText("You said: Say hello")).toBeVisible();
  await page.reload();
  await expect(page.getByText("You said: Say hello")).toBeVisible();
  // Who logs out leaves nothing behind.
  await page.getByRole("button", { name: "ada" }).click();
  await page
    .getByRole("menuitem", { name: "Log out" })
    .or(page.getByRole("button", { name: "Log out" }))
    .click();
  await expect(page.getByLabel("User name")).toBeVisible();
  expect(await page.evaluate(() => window.sessionStorage.length)).toBe(0);
});

test("the page speaks other languages", async ({ admin: page, gateway }) => {
  await begin(page, gateway);
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("combobox", { name: "Language" }).click();
  await page.getByRole("option", { name: "Русский" }).click();
  await expect(page.getByRole("heading", { name: "Песочница" })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Вопрос" })).toBeVisible();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("it is a chat with its options behind a button", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/playground");
    await expectAccessible(page);
    await show(page, clientKey);
    await choose(page, "google/gemini-2.5-flash");
    await ask(page, "Say hello");
    await expect(page.getByText("You said: Say hello")).toBeVisible();
    await expect(page.getByRole("button", { name: "Send" })).toBeInViewport();
    await expectAccessible(page);
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "Options" }).click();
    await expect(page.getByRole("dialog", { name: "Options" }).getByLabel("System prompt")).toBeVisible();
    await expectAccessible(page);
  });
});

async function begin(page: Page, gateway: Gateway) {
  await open(page, gateway, "/playground");
  await show(page, clientKey);
}

async function show(page: Page, key: string) {
  await page.getByRole("textbox", { name: "Client key" }).fill(key);
  await page.getByRole("button", { name: "Use this key" }).click();
}

async function choose(page: Page, model: string) {
  await page.getByRole("combobox", { name: "Model" }).fill(model);
  await page.getByRole("option", { name: model, exact: true }).click();
}

async function ask(page: Page, text: string) {
  await page.getByRole("textbox", { name: "Question" }).fill(text);
  await page.keyboard.press("Enter");
}

type Part = { text?: string; thought?: boolean; inlineData?: { mimeType: string; data: string } };
type Sent = {
  contents: { role: string; parts: Part[] }[];
  systemInstruction?: unknown;
  generationConfig?: { responseModalities?: string[] };
};

/** Lets the stand-in for Google answer streams with these parts. */
async function answerWith(gateway: Gateway, parts: Part[]) {
  const event = { candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }] };
  const respond = {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: `data: ${JSON.stringify(event)}\n\n`,
  };
  await rule(gateway, { respond });
}

/** The body that the page sends when something is done. */
async function sentBy(page: Page, deed: () => Promise<void>): Promise<Sent> {
  const request = page.waitForRequest(/streamGenerateContent/);
  await deed();
  return (await request).postDataJSON();
}

/** What went wrong with the newest request, as the log has it. */
async function lastError(operator: Operator): Promise<string | undefined> {
  const log = (await operator.call("GET", "/api/request_logs?limit=1")) as { items: { error?: string }[] };
  return log.items[0]?.error;
}

/** The next streams of the stand-in for Google go so: crates/fake-upstream/src/control.rs. */
async function rule(gateway: Gateway, deed: object) {
  // biome-ignore lint/suspicious/noThenProperty: that is how a rule calls what it does
  const body = JSON.stringify({ method: "streamGenerateContent", then: deed });
  const answer = await fetch(`${gateway.upstream}/_fake/rules`, { method: "POST", body });
  expect(answer.ok, await answer.text()).toBe(true);
}

async function forgetRules(gateway: Gateway) {
  await fetch(`${gateway.upstream}/_fake/rules`, { method: "DELETE" });
}
