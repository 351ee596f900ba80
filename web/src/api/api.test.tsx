// The admin API as pages use it: errors of one kind, a token with every change, a stream that comes back.

import { useQueryClient } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { useUndoable } from "@/components/useUndoable";
import { useSession } from "@/session/session";
import { answering, show } from "@/testing/show";
import { api, ask, setCsrfToken } from "./client";
import { ApiError } from "./error";
import { LiveStream } from "./events";
import { patchRows, useList } from "./list";

describe("an error", () => {
  it("has code, message and field of what keymux said", async () => {
    answering(() => [422, { error: { code: "invalid", message: "weight is 0; expected 1 to 100", field: "weight" } }]);
    const failed = ask(api.PATCH("/api/keys/{id}", { params: { path: { id: 1 } }, body: { weight: 0 } }));
    await expect(failed).rejects.toMatchObject({
      status: 422,
      code: "invalid",
      field: "weight",
      message: "weight is 0; expected 1 to 100",
    });
  });

  it("is of the same kind when something else answered", async () => {
    vi.stubGlobal("fetch", async () => new Response("<h1>Gone</h1>", { status: 410, statusText: "Gone" }));
    const failed = ask(api.GET("/api/status"));
    await expect(failed).rejects.toMatchObject({ status: 410, code: "unexpected", message: "410 Gone" });
  });

  it("says that keymux is away when a proxy in front of it says so", async () => {
    vi.stubGlobal("fetch", async () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    const failed = ask(api.GET("/api/status"));
    await expect(failed).rejects.toMatchObject({ status: 0, code: "unreachable", isPassing: true });
  });

  it("is of the same kind when nobody answered", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    const error = await ask(api.GET("/api/status")).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0, isPassing: true });
  });

  it("says when to try again", async () => {
    vi.stubGlobal("fetch", async () => new Response("{}", { status: 429, headers: { "retry-after": "17" } }));
    await expect(ask(api.GET("/api/status"))).rejects.toMatchObject({ retryAfter: 17 });
  });
});

it("what changes something carries the token of the session, and what reads does not need it", async () => {
  const seen: (string | null)[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    seen.push(request.headers.get("x-csrf-token"));
    return new Response("{}");
  });
  setCsrfToken("token");
  await ask(api.GET("/api/status"));
  await ask(api.POST("/api/logout"));
  expect(seen).toEqual([null, "token"]);
});

it("a session that ends anywhere ends for every page", async () => {
  let isOver = false;
  answering(({ path }) => {
    if (isOver) return [401, { error: { code: "unauthorized", message: "the session is over" } }];
    return path === "/api/me" ? { id: 1, username: "mei", role: "member", csrf_token: "t", created_at: "" } : {};
  });
  function Page() {
    const { data } = useSession();
    return <p>{data === undefined ? "asking" : (data?.username ?? "nobody")}</p>;
  }
  const { client } = await show(<Page />);
  expect(await screen.findByText("mei")).toBeTruthy();
  isOver = true;
  await client
    .fetchQuery({ queryKey: ["status"], queryFn: () => ask(api.GET("/api/status")), retry: false })
    .catch(() => {});
  expect(await screen.findByText("nobody")).toBeTruthy();
});

function Undoable({ make }: { make: () => Promise<unknown> }) {
  const change = useUndoable();
  const client = useQueryClient();
  const { rows } = useList("/api/keys", {});
  const shown = () => patchRows(client, "/api/keys", (row) => ({ ...row, status: "disabled" as const }));
  const disable = () =>
    change({ show: shown, make, said: () => "disabled", undo: () => async () => {}, changes: ["/api/keys"] });
  return (
    <button type="button" onClick={() => void disable()}>
      {rows.map(({ status }) => status).join()}
    </button>
  );
}

describe("a change that can be undone", () => {
  const keys = { items: [{ id: 1, status: "active" }], next_cursor: null, total: 1 };

  it("is shown before it is made, and put back when it fails", async () => {
    answering(() => keys);
    let refuse = (_: Error) => {};
    const make = () => new Promise((_, reject) => (refuse = reject));
    const { user } = await show(<Undoable make={make} />);
    await user.click(await screen.findByRole("button", { name: "active" }));
    expect(await screen.findByRole("button", { name: "disabled" })).toBeTruthy();
    refuse(new ApiError(503, "unavailable", "x"));
    expect(await screen.findByRole("button", { name: "active" })).toBeTruthy();
    expect(await screen.findByText("The database does not answer")).toBeTruthy();
  });

  it("offers to take it back when it is made", async () => {
    answering(() => keys);
    const { user } = await show(<Undoable make={async () => {}} />);
    await user.click(await screen.findByRole("button", { name: "active" }));
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    expect(await screen.findByText("Undone")).toBeTruthy();
  });
});

class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  onerror: (() => void) | null = null;
  isClosed = false;
  constructor() {
    super();
    FakeSource.all.push(this);
  }
  close() {
    this.isClosed = true;
  }
  tell(name: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}

describe("the live stream", () => {
  afterEach(() => {
    vi.useRealTimers();
    FakeSource.all = [];
  });
  const open = () => new FakeSource() as unknown as EventSource;

  it("is one for all who listen, and closed when nobody does", () => {
    const stream = new LiveStream(open);
    const heard: unknown[] = [];
    const stop = [stream.on("stats", (data) => heard.push(data)), stream.on("lost", (data) => heard.push(data))];
    expect(FakeSource.all).toHaveLength(1);
    FakeSource.all[0]?.tell("stats", { in_flight: 1 });
    FakeSource.all[0]?.tell("lost", { events: 2 });
    expect(heard).toEqual([{ in_flight: 1 }, { events: 2 }]);
    expect(stream.state).toBe("live");
    for (const end of stop) end();
    expect(FakeSource.all[0]?.isClosed).toBe(true);
    expect(stream.state).toBe("idle");
  });

  it("is opened again after longer and longer pauses, and says so", () => {
    vi.useFakeTimers();
    const stream = new LiveStream(open);
    stream.on("stats", () => {});
    const fail = () => FakeSource.all.at(-1)?.onerror?.();
    fail();
    expect(stream.state).toBe("reconnecting");
    vi.advanceTimersByTime(1_300);
    expect(FakeSource.all).toHaveLength(2);
    fail();
    vi.advanceTimersByTime(1_400);
    expect(FakeSource.all).toHaveLength(2);
    vi.advanceTimersByTime(1_200);
    expect(FakeSource.all).toHaveLength(3);
    FakeSource.all.at(-1)?.tell("stats", {});
    expect(stream.state).toBe("live");
  });

  it("that says nothing for long is taken for broken", () => {
    vi.useFakeTimers();
    const stream = new LiveStream(open);
    stream.on("stats", () => {});
    FakeSource.all[0]?.tell("stats", {});
    vi.advanceTimersByTime(8_100);
    expect(stream.state).toBe("reconnecting");
    expect(FakeSource.all[0]?.isClosed).toBe(true);
  });
});
