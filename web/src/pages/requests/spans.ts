// Where attempts stand on the time axis of their request. keymux notes how long each took; they follow one another, so
// each begins where the one before it has ended.

import type { Detail } from "./requests";

export type Span = {
  number: number;
  /** Parts of the whole, from 0 to 1. */
  before: number;
  own: number;
  /** What of the request came after the last attempt was judged: the rest of the answer, or waiting. */
  rest: number;
};

export function spansOf({ latency_ms, attempt_list }: Pick<Detail, "latency_ms" | "attempt_list">): Span[] {
  const sum = attempt_list.reduce((all, attempt) => all + attempt.latency_ms, 0);
  const whole = Math.max(latency_ms, sum, 0.001);
  let begun = 0;
  return attempt_list.map((attempt, index) => {
    const before = begun / whole;
    begun += attempt.latency_ms;
    const isLast = index === attempt_list.length - 1;
    return { number: attempt.number, before, own: attempt.latency_ms / whole, rest: isLast ? 1 - begun / whole : 0 };
  });
}
