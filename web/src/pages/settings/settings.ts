// Settings as the admin API lists them, and in which order they are shown.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";

export type Setting = Schema<"SettingView">;
/** What can be set: a setting, a field of one, or the elements of a list. */
export type Form = Schema<"FormView">;
/** What is written, by the name of the setting; null returns one to its default. */
export type Changes = { [name: string]: unknown };

export const setBy = ["default", "stored", "file", "environment"] as const;

/** The sections that operators look for first; those that are not named here follow, as the API has them. */
const order = [
  "pool",
  "retry",
  "health_checks",
  "egress",
  "ip_limits",
  "shedding",
  "aliases",
  "affinity",
  "simple",
  "logs",
  "server",
  "admin",
];

const settingsKey = ["settings"];

/** All settings; other administrators change them too, so they are asked for now and then. */
export function useSettings() {
  return useQuery({
    queryKey: settingsKey,
    queryFn: ({ signal }) => ask(api.GET("/api/settings", { signal })),
    select: ({ items }) => items,
    refetchInterval: 30_000,
  });
}

/** Writes all of the changes, or none. */
export function useWriteSettings(): (changes: Changes) => Promise<void> {
  const client = useQueryClient();
  return async (changes) => {
    client.setQueryData(settingsKey, await ask(api.PUT("/api/settings", { body: changes })));
  };
}

export type Section = { name: string; settings: Setting[] };

/** The settings by their sections. */
export function sectionsOf(settings: Setting[]): Section[] {
  const names = [...new Set(settings.map(({ section }) => section))];
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return names
    .sort((one, other) => place(one) - place(other))
    .map((name) => ({ name, settings: settings.filter(({ section }) => section === name) }));
}

/** The settings that have every word in their name or description, and are set by whom is asked for. */
export function matching(settings: Setting[], words: string, by: string | undefined): Setting[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter(({ name, description, set_by }) => {
    const text = `${name} ${name.replaceAll(/[._]/g, " ")} ${description}`.toLowerCase();
    return (!by || set_by === by) && wanted.every((word) => text.includes(word));
  });
}
