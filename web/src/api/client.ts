// The one client of the admin API, typed by schema.d.ts. Calls go through `ask`, which gives the data or throws an ApiError.

import createClient, { type Middleware } from "openapi-fetch";
import { ApiError, errorOf, unreachable } from "./error";
import type { components, paths } from "./schema";

/** A type of the API by its name, for example `Schema<"KeyView">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** Where keymux is, as this browser sees it; ends with a slash. Paths of the dashboard are one segment deep. */
export const home = new URL(".", document.baseURI);

/** The address of something of keymux's: `address("api/events")`. */
export function address(path: string): string {
  return new URL(path, home).href;
}

let csrfToken = "";

/** What proves that a change was meant; it comes with the session. */
export function setCsrfToken(token: string) {
  csrfToken = token;
}

const session: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET") request.headers.set("x-csrf-token", csrfToken);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
    return response;
  },
  onError({ error }) {
    return error instanceof ApiError || isAbort(error) ? undefined : unreachable(error);
  },
};

function isAbort(error: unknown) {
  return error instanceof DOMException && error.name === "AbortError";
}

// What fetch is, is looked up when it is called: tests put their own in its place.
export const api = createClient<paths>({
  baseUrl: home.href.replace(/\/$/, ""),
  credentials: "same-origin",
  fetch: (request) => globalThis.fetch(request),
});
api.use(session);

/** What a call is answered with. */
export async function ask<Data>(call: Promise<{ data?: Data; response: Response }>): Promise<Data> {
  const { data } = await call;
  return data as Data;
}
