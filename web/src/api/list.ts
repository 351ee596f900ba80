// Lists that come in pages. Which rows, and in which order, is asked for; what has come so far is one array.

import { type InfiniteData, type QueryClient, type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "./client";
import type { ApiError } from "./error";
import type { paths } from "./schema";

/** A page of a list. */
export type Page<Row> = { items: Row[]; next_cursor?: string | null; total?: number };

type PageOf<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body extends { items: (infer Row)[]; next_cursor?: string | null }
    ? Row
    : never
  : never;

/** The paths that answer with pages. */
export type ListPath = { [Path in keyof paths]: [PageOf<Path>] extends [never] ? never : Path }[keyof paths];

/** A row of a list. */
export type RowOf<Path extends ListPath> = PageOf<Path>;

/** What a list can be asked for, except for its pages. */
export type ListQuery<Path extends ListPath> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? Omit<NonNullable<Query>, "cursor">
  : never;

/** A list as far as it has come. */
export type List<Row> = {
  rows: Row[];
  /** How many rows there are in all; undefined where nobody has counted. */
  total: number | undefined;
  hasMore: boolean;
  isPending: boolean;
  isLoadingMore: boolean;
  /** The rows are those of what was asked before. */
  isOutdated: boolean;
  error: ApiError | null;
  loadMore: () => void;
  /** Asks for all of it again. */
  refresh: () => void;
};

const usualLimit = 100;

export function listKey(path: ListPath, query?: object): QueryKey {
  return query ? ["list", path, query] : ["list", path];
}

type ListOptions = {
  /** Asks again so often, as long as no more than two pages have come. */
  refetchEvery?: number | false;
  enabled?: boolean;
};

/** A list; `query` holds its filters, `sort` and `limit`. Empty filters are left out. */
export function useList<Path extends ListPath>(
  path: Path,
  query: ListQuery<Path>,
  options: ListOptions = {},
): List<RowOf<Path>> {
  type Row = RowOf<Path>;
  const asked = withoutEmpty({ limit: usualLimit, ...query });
  const found = useInfiniteQuery({
    queryKey: listKey(path, asked),
    queryFn: async ({ pageParam, signal }) => {
      const search = pageParam ? { ...asked, cursor: pageParam } : asked;
      // What may be asked of this path was checked above; the client cannot see that for all paths at once.
      const call = api.GET as unknown as (path: Path, init: object) => Promise<{ data: Page<Row>; response: Response }>;
      return ask(call(path, { params: { query: search }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last: Page<Row>) => last.next_cursor || undefined,
    placeholderData: (before) => before,
    enabled: options.enabled ?? true,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) <= 2 && options.refetchEvery) || false,
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= 2,
  });
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  return {
    rows,
    total: found.data?.pages.at(-1)?.total ?? undefined,
    hasMore: found.hasNextPage,
    isPending: found.isPending,
    isLoadingMore: found.isFetchingNextPage,
    isOutdated: found.isPlaceholderData,
    error: found.error as ApiError | null,
    loadMore: () => {
      if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
    },
    refresh: () => void found.refetch(),
  };
}

/** Asks again for every list of a path that is shown. */
export function refreshLists(client: QueryClient, ...listPaths: ListPath[]) {
  return Promise.all(listPaths.map((path) => client.invalidateQueries({ queryKey: listKey(path) })));
}

/** Changes rows of a list where they are shown, before or without asking again. Gives what puts them back. */
export function patchRows<Path extends ListPath>(
  client: QueryClient,
  path: Path,
  change: (row: RowOf<Path>) => RowOf<Path>,
): () => void {
  type Pages = InfiniteData<Page<RowOf<Path>>>;
  const before = client.getQueriesData<Pages>({ queryKey: listKey(path) });
  client.setQueriesData<Pages>({ queryKey: listKey(path) }, (data) => {
    if (!data) return data;
    let hasChanged = false;
    const pages = data.pages.map((page) => {
      const items = page.items.map(change);
      const isSame = items.every((item, index) => item === page.items[index]);
      hasChanged ||= !isSame;
      return isSame ? page : { ...page, items };
    });
    return hasChanged ? { ...data, pages } : data;
  });
  return () => {
    for (const [key, data] of before) client.setQueryData(key, data);
  };
}

function withoutEmpty(query: object): Record<string, string | number> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return Object.fromEntries(given);
}
