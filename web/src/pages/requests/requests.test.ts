// What is worked out of requests without asking anybody: whether one is wanted, in which order they stand, where attempts
// are on the time axis, and the command that asks again.

import { describe, expect, it } from "vitest";
import { curlOf } from "./curl";
import { matches, type Request } from "./requests";
import { spansOf } from "./spans";
import { merged } from "./useTail";

const request: Request = {
  id: "b",
  time: "2026-11-30T05:00:00.000Z",
  dialect: "gemini",
  endpoint: "generateContent",
  provider: "google",
  model: "gemini-2.5-pro",
  client_id: 3,
  key_id: 17,
  status: 503,
  stream: false,
  attempts: 2,
  latency_ms: 100,
  error: "key_invalid",
};

describe("a request that has just ended", () => {
  it.each([
    [{}, true],
    [{ provider: "google", key: 17, client: 3 }, true],
    [{ key: 18 }, false],
    [{ status: "5xx" }, true],
    [{ status: "503" }, true],
    [{ status: "4xx" }, false],
    [{ failed: true }, true],
    [{ q: "PRO" }, true],
    [{ q: "flash" }, false],
    [{ to: "2026-11-30T04:00:00.000Z" }, false],
  ])("is wanted or not: %o", (query, is) => {
    expect(matches(request, query)).toBe(is);
  });

  it("is no failed one when nothing went wrong", () => {
    expect(matches({ ...request, error: null }, { failed: true })).toBe(false);
  });
});

it("new requests come once, and the newest first", () => {
  const older = { ...request, id: "a", time: "2026-11-30T04:00:00.000Z" };
  const newer = { ...request, id: "c", time: "2026-11-30T06:00:00.000Z" };
  expect(merged([newer, request], [request, older]).map(({ id }) => id)).toEqual(["c", "b", "a"]);
});

it("attempts follow one another on the time axis, and what is left is the rest", () => {
  const attempt = { egress: "direct", class: "ok", reason: "ok", why_this_key: "" };
  const attempt_list = [
    { ...attempt, number: 1, latency_ms: 25 },
    { ...attempt, number: 2, latency_ms: 50 },
  ];
  expect(spansOf({ latency_ms: 100, attempt_list })).toEqual([
    { number: 1, before: 0, own: 0.25, rest: 0 },
    { number: 2, before: 0.25, own: 0.5, rest: 0.25 },
  ]);
});

describe("the command that asks again", () => {
  const home = new URL("https://keymux.example/below/");

  it("is at this address, and takes what was kept without breaking out of its quotes", () => {
    const request_body = { text: `{"contents":"it's"}`, original_bytes: 20, truncated: false };
    const command = curlOf({ ...request, request_body }, home);
    expect(command).toContain("'https://keymux.example/below/v1beta/models/gemini-2.5-pro:generateContent'");
    expect(command).toContain(`'{"contents":"it'\\''s"}'`);
    expect(command).toContain("$KEYMUX_CLIENT_KEY");
  });

  it("is none for what is no call of a model", () => {
    expect(curlOf({ ...request, model: null, endpoint: "other" }, home)).toBeNull();
  });
});
