// What happens now: one stream of /api/events for all that watch. When it breaks it is opened again, after longer and
// longer pauses; meanwhile those who show live figures ask for them (`useLivePolling`). A page that nobody looks at
// watches nothing.

import { useEffect, useRef, useSyncExternalStore } from "react";
import { address, type Schema } from "./client";

/** `idle`: nobody watches. */
export type Liveness = "idle" | "connecting" | "live" | "reconnecting";

/** What the stream tells, by name. */
export type LiveEvents = {
  stats: Schema<"Live">;
  request: Schema<"RequestView">;
  key: Schema<"KeyView">;
  ban: Schema<"BanView">;
  unban: { ip: string };
  /** This watcher was too slow for so many events. */
  lost: { events: number };
};

type Name = keyof LiveEvents;
type Listener = (data: never) => void;

const names: Name[] = ["stats", "request", "key", "ban", "unban", "lost"];
/** Figures come every second; when none have come for so long the stream is dead, whatever the browser says. */
const silence = 8_000;
const firstPause = 1_000;
const longestPause = 30_000;
const hiddenFor = 20_000;

export class LiveStream {
  #listeners = new Map<Name, Set<Listener>>(names.map((name) => [name, new Set()]));
  #stateListeners = new Set<() => void>();
  #source: EventSource | null = null;
  #state: Liveness = "idle";
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchers = 0;

  constructor(private readonly open: () => EventSource) {
    document.addEventListener("visibilitychange", () => this.#lookedAt());
  }

  get state() {
    return this.#state;
  }

  /** Listens to one kind of event until the function that it gives is called. */
  on<N extends Name>(name: N, listener: (data: LiveEvents[N]) => void): () => void {
    const listeners = this.#listeners.get(name);
    listeners?.add(listener as Listener);
    this.#watchers += 1;
    if (this.#watchers === 1) this.#connect();
    return () => {
      if (listeners?.delete(listener as Listener)) this.#watchers -= 1;
      if (this.#watchers === 0) this.#close("idle");
    };
  }

  onState = (listener: () => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #connect() {
    this.#close(this.#failures > 0 ? "reconnecting" : "connecting");
    const source = this.open();
    this.#source = source;
    for (const name of names) source.addEventListener(name, (event) => this.#heard(name, event.data));
    source.onerror = () => this.#broken();
    this.#expectMore();
  }

  #heard(name: Name, text: string) {
    this.#failures = 0;
    this.#become("live");
    this.#expectMore();
    const data = JSON.parse(text) as never;
    for (const listener of this.#listeners.get(name) ?? []) listener(data);
  }

  #expectMore() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#broken(), silence);
  }

  #broken() {
    this.#failures += 1;
    this.#close("reconnecting");
    const pause = Math.min(firstPause * 2 ** (this.#failures - 1), longestPause);
    this.#timer = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
  }

  #lookedAt() {
    if (this.#watchers === 0) return;
    if (document.hidden) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#close("reconnecting"), hiddenFor);
    } else if (this.#source) {
      this.#expectMore();
    } else {
      this.#connect();
    }
  }

  #close(state: Liveness) {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#become(state);
  }

  #become(state: Liveness) {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }
}

const stream = new LiveStream(() => new EventSource(address("api/events")));

/** Whether what is shown is live. */
export function useLiveness(): Liveness {
  return useSyncExternalStore(stream.onState, () => stream.state);
}

/** Calls the listener with each event of that name. */
export function useLiveEvent<N extends Name>(name: N, listener: (data: LiveEvents[N]) => void, isOn = true) {
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => {
    if (!isOn) return;
    return stream.on(name, (data) => newest.current(data));
  }, [name, isOn]);
}

/** Calls the listener with the events of some time together, so that many of them are drawn once. */
export function useLiveBatches<N extends Name>(name: N, listener: (data: LiveEvents[N][]) => void, pause = 300) {
  const waiting = useRef<LiveEvents[N][]>([]);
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useLiveEvent(name, (data) => waiting.current.push(data));
  useEffect(() => {
    const timer = setInterval(() => {
      if (waiting.current.length > 0) newest.current(waiting.current.splice(0));
    }, pause);
    return () => clearInterval(timer);
  }, [pause]);
}

/** How often to ask for what the stream does not bring: seldom while it is live, often while it is not. */
export function useLivePolling(whileLive: number, otherwise = 5_000): number {
  return useLiveness() === "live" ? whileLive : otherwise;
}
