// Instants as an input of the viewer's local time (`datetime-local`) takes and gives them.

import type { Instant } from "./format";

/** `2026-03-12T14:05`, in the viewer's zone. */
export function toLocalInput(time: Instant): string {
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The instant, as the API takes it. */
export function fromLocalInput(text: string): string {
  return new Date(text).toISOString();
}
