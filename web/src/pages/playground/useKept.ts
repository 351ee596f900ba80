// State that outlives the page: in memory while the dashboard is open, and in this tab over a reload where that is wanted.
// Both are one user's, and are forgotten when they log out.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { sessionKey } from "@/api/queries";
import { useSession } from "@/session/session";

/** How long changes are gathered before the tab's copy is written. */
const pause = 300;

type Kept<Value> = {
  /** What the tab keeps of it; null: nothing. */
  inTab?: (value: Value) => Value | null;
  /** What it keeps where all of that is too much. */
  smaller?: (value: Value) => Value;
};

export function useKept<Value>(name: string, first: Value, { inTab = same, smaller = same }: Kept<Value> = {}) {
  const client = useQueryClient();
  const user = useSession().data?.id ?? 0;
  const key = ["playground", user, name];
  const slot = `keymux:${key.join(":")}`;
  const [value, setValue] = useState<Value>(() => client.getQueryData<Value>(key) ?? read(slot) ?? first);

  client.setQueryDefaults(key, { gcTime: Number.POSITIVE_INFINITY });
  const save = useRef(() => {});
  save.current = () => {
    const isStillHere = client.getQueryData<{ id: number } | null>(sessionKey)?.id === user;
    if (isStillHere) keep(slot, inTab(value), smaller);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the name and the user do not change while a page is shown
  useEffect(() => {
    client.setQueryData(key, value);
    const timer = setTimeout(() => save.current(), pause);
    return () => clearTimeout(timer);
  }, [client, value]);

  useEffect(() => {
    const saveNow = () => save.current();
    window.addEventListener("pagehide", saveNow);
    return () => {
      window.removeEventListener("pagehide", saveNow);
      saveNow();
    };
  }, []);

  return [value, setValue] as const;
}

function read<Value>(slot: string): Value | undefined {
  try {
    return JSON.parse(window.sessionStorage.getItem(slot) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** A tab holds some megabytes. */
function keep<Value>(slot: string, value: Value | null, smaller: (value: Value) => Value) {
  window.sessionStorage.removeItem(slot);
  if (value === null) return;
  try {
    window.sessionStorage.setItem(slot, JSON.stringify(value));
  } catch {
    window.sessionStorage.setItem(slot, JSON.stringify(smaller(value)));
  }
}

function same<Value>(value: Value): Value {
  return value;
}
