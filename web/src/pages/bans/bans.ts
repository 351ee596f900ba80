// Bans as this page asks for them: followed live, made, lifted, and put back.

import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, ask, type Schema } from "@/api/client";
import { ApiError } from "@/api/error";
import { useLiveEvent, useLivePolling } from "@/api/events";
import { type List, type ListQuery, refreshLists, useList } from "@/api/list";
import type { Selection } from "@/components/useSelection";
import { useUndoable } from "@/components/useUndoable";
import { useFormat } from "@/format/format";

export type Ban = Schema<"BanView">;
type Query = ListQuery<"/api/bans">;

/** Calls at the same time when many bans are lifted. */
const atOnce = 6;

/** The bans that match; new ones come, lifted ones go, and those that end by themselves are missed soon. */
export function useBans(query: Query): List<Ban> {
  const client = useQueryClient();
  const refetchEvery = useLivePolling(30_000, 5_000);
  const refresh = () => void refreshLists(client, "/api/bans");
  useLiveEvent("ban", refresh);
  useLiveEvent("unban", refresh);
  return useList("/api/bans", query, { refetchEvery });
}

/** Makes a ban, in place of one of the same address. */
export function ban(body: Schema<"NewBan">): Promise<Ban> {
  return ask(api.POST("/api/bans", { body }));
}

/** Lifts bans, and offers to put them back as they were. */
export function useLift(): (bans: Ban[]) => Promise<boolean> {
  const { t } = useTranslation("bans");
  const format = useFormat();
  const change = useUndoable();
  const said = ([first, ...others]: Ban[]) => {
    if (first && others.length === 0) return t("liftedOne", { name: first.network });
    return t("lifted", { count: others.length + 1, number: format.number(others.length + 1) });
  };
  return (bans) =>
    change({
      make: () => each(bans, lift),
      said: () => said(bans),
      undo: () => () => each(bans.filter(isLasting), banAgain),
      changes: ["/api/bans"],
    });
}

/** The bans that are chosen; those that have not come yet are asked for. */
export async function chosenBans(selection: Selection<string>, rows: Ban[], q: string | undefined): Promise<Ban[]> {
  if (!selection.isAll) return rows.filter(({ network }) => selection.has(network));
  const found: Ban[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { limit: 500, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) };
    const page = await ask(api.GET("/api/bans", { params: { query } }));
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

async function lift({ ip }: Ban) {
  try {
    await ask(api.DELETE("/api/bans/{ip}", { params: { path: { ip } } }));
  } catch (error) {
    // It has ended meanwhile, by itself or by somebody else.
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}

function banAgain({ ip, reason, until }: Ban) {
  return ban({ ip, reason, until: until ?? null });
}

function isLasting({ until }: Ban): boolean {
  return !until || new Date(until).getTime() > Date.now();
}

async function each(bans: Ban[], deed: (ban: Ban) => Promise<unknown>) {
  for (let begin = 0; begin < bans.length; begin += atOnce) {
    await Promise.all(bans.slice(begin, begin + atOnce).map(deed));
  }
}
