// One clock for everything that counts down: it ticks while somebody looks at it.

import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const tell of listeners) tell();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function current() {
  // Between ticks the time must not change, or React would draw again and again.
  if (!timer) now = Date.now();
  return now;
}

/** This moment, to the second, or to a coarser step. */
export function useNow(step = 1000): number {
  return useSyncExternalStore(watch, () => Math.floor(current() / step) * step);
}
