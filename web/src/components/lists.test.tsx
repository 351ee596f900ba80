// Lists: pages that come while one scrolls, what is chosen in them, what they are filtered by.

import { act, renderHook, screen, waitFor } from "@testing-library/react";
import { expect, it, onTestFinished, vi } from "vitest";
import { type List, useList } from "@/api/list";
import { useUrlState } from "@/app/urlState";
import { type Asked, answering, show } from "@/testing/show";
import { type Column, DataTable } from "./DataTable";
import { FilterBar } from "./FilterBar";
import { TimeRangePicker } from "./TimeRangePicker";
import { useSelection } from "./useSelection";

type Row = { id: number; name: string };

const columns: Column<Row>[] = [
  { id: "name", header: "Name", sort: "name", card: "title", cell: (row) => row.name },
  { id: "twice", header: "Twice", align: "end", cell: (row) => row.id * 2 },
];

function list(rows: Row[], more: Partial<List<Row>> = {}): List<Row> {
  return {
    rows,
    total: rows.length,
    hasMore: false,
    isPending: false,
    isLoadingMore: false,
    isOutdated: false,
    error: null,
    loadMore: () => {},
    refresh: () => {},
    ...more,
  };
}

/** Virtual rows are drawn where there is room: happy-dom has none unless it is told so. */
function withRoom() {
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 600 });
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 900 });
}

const rows = [1, 2, 3].map((id) => ({ id, name: `row ${id}` }));
const common = {
  label: "Rows",
  name: "rows",
  columns,
  rowId: (row: Row) => row.id,
  rowName: (row: Row) => row.name,
  empty: <p>nothing here</p>,
};

it("a table draws rows that are seen, and knows of all", async () => {
  withRoom();
  const many = Array.from({ length: 5_000 }, (_, id) => ({ id, name: `row ${id}` }));
  await show(<DataTable {...common} list={list(many)} />);
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("5001");
  const drawn = screen.getAllByRole("row").length;
  expect(drawn).toBeGreaterThan(10);
  expect(drawn).toBeLessThan(100);
});

it("a table is sorted by its heads, one way and then the other", async () => {
  withRoom();
  const onSort = vi.fn();
  const { user } = await show(<DataTable {...common} list={list(rows)} sort="name" onSort={onSort} />);
  expect(screen.getByRole("columnheader", { name: /Name/ }).getAttribute("aria-sort")).toBe("ascending");
  await user.click(screen.getByRole("button", { name: "Name" }));
  expect(onSort).toHaveBeenCalledWith("-name");
});

it("rows are gone through, opened and chosen by keyboard", async () => {
  withRoom();
  const onOpen = vi.fn();
  function Page() {
    const selection = useSelection<number>({});
    return <DataTable {...common} list={list(rows)} selection={selection} onOpen={onOpen} />;
  }
  const { user, container } = await show(<Page />);
  const row = (index: number) => container.querySelector<HTMLElement>(`[data-index="${index}"]`);
  act(() => row(0)?.focus());
  await user.keyboard("{ArrowDown}");
  await waitFor(() => expect(document.activeElement).toBe(row(1)));
  await user.keyboard("{Enter}");
  expect(onOpen).toHaveBeenCalledWith(rows[1]);
  await user.keyboard(" ");
  expect(screen.getByText("1 selected")).toBeTruthy();
});

it("when all that have come are chosen, all that match can be", async () => {
  withRoom();
  function Page() {
    const selection = useSelection<number>({});
    return (
      <DataTable
        {...common}
        list={list(rows, { total: 90_000, hasMore: true })}
        selection={selection}
        bulkActions={<button type="button">Do it</button>}
      />
    );
  }
  const { user } = await show(<Page />);
  await user.click(screen.getByLabelText("Select all that are shown"));
  expect(screen.getByText("3 selected")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Select all 90,000 that match" }));
  expect(screen.getByText("90,000 selected: all that match")).toBeTruthy();
  await user.click(screen.getByLabelText("row 2"));
  expect(screen.getByText("2 selected")).toBeTruthy();
});

it("a list without rows shows what it is told to, and one that failed shows why", async () => {
  const { unmount } = await show(<DataTable {...common} list={list([])} />);
  expect(screen.getByText("nothing here")).toBeTruthy();
  unmount();
  const refresh = vi.fn();
  const error = { status: 0 } as never;
  const { user } = await show(
    <DataTable {...common} list={list([], { error: Object.assign(new Error("x"), error), refresh })} />,
  );
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(refresh).toHaveBeenCalled();
});

it("an empty page with more behind it is looked behind", async () => {
  const loadMore = vi.fn();
  await show(<DataTable {...common} list={list([], { hasMore: true, loadMore })} />);
  expect(loadMore).toHaveBeenCalled();
});

it("a list is asked for in pages, with the filters that are set and no others", async () => {
  const page = (asked: Asked) => {
    const isFirst = !asked.search.has("cursor");
    return { items: [{ id: isFirst ? 1 : 2 }], next_cursor: isFirst ? "next" : null, total: 2 };
  };
  const calls = answering(page);
  function Page() {
    const found = useList("/api/keys", { status: "active", q: "" });
    return (
      <button type="button" onClick={found.loadMore}>
        {found.rows.length} of {found.total}
      </button>
    );
  }
  const { user } = await show(<Page />);
  await user.click(await screen.findByRole("button", { name: "1 of 2" }));
  expect(await screen.findByRole("button", { name: "2 of 2" })).toBeTruthy();
  expect(calls.map(({ search }) => search.toString())).toEqual([
    "limit=100&status=active",
    "limit=100&status=active&cursor=next",
  ]);
});

it("what is chosen is forgotten when other rows match", () => {
  const { result, rerender } = renderHook(({ q }) => useSelection<number>({ q }), { initialProps: { q: "" } });
  act(() => result.current.toggle(1, [1, 2, 3]));
  act(() => result.current.extend(3, [1, 2, 3]));
  expect([...result.current.ids]).toEqual([1, 2, 3]);
  rerender({ q: "other" });
  expect(result.current.count(3)).toBe(0);
});

function Filters() {
  const [url, setUrl] = useUrlState(["q", "status"]);
  const choices = [{ value: "active", label: "Active" }];
  return (
    <FilterBar
      filters={[
        { name: "q", label: "Search", kind: "text" },
        { name: "status", label: "State", kind: "choice", choices },
      ]}
      values={url}
      onChange={setUrl}
    />
  );
}

it("filters are written into the address, and read out of it", async () => {
  const { user, router } = await show(<Filters />, { at: "/?status=active&other=1" });
  expect((screen.getByRole("combobox", { name: "State" }) as HTMLInputElement).value).toBe("Active");
  await user.type(screen.getByRole("searchbox", { name: "Search" }), "abc");
  await waitFor(() => expect(router.state.location.search).toBe("?status=active&other=1&q=abc"));
  await user.click(screen.getByRole("button", { name: "Clear filters" }));
  await waitFor(() => expect(router.state.location.search).toBe("?other=1"));
  expect((screen.getByRole("searchbox", { name: "Search" }) as HTMLInputElement).value).toBe("");
});

it("what is typed before and after filters are cleared brings none of them back", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  const { user, router } = await show(<Filters />, { at: "/?status=active&q=old" });
  const search = screen.getByRole("searchbox", { name: "Search" }) as HTMLInputElement;
  const typingEnds = () => act(() => vi.advanceTimersByTime(5_000));
  await user.type(search, "er");
  await user.click(screen.getByRole("button", { name: "Clear filters" }));
  typingEnds();
  expect(router.state.location.search).toBe("");
  expect(search.value).toBe("");
  await user.type(search, "new ");
  typingEnds();
  expect(router.state.location.search).toBe("?q=new");
  expect(search.value).toBe("new ");
  expect((screen.getByRole("combobox", { name: "State" }) as HTMLInputElement).value).toBe("");
});

it("changes of the address build on one another, however late they are drawn", async () => {
  function Page() {
    const [, setUrl] = useUrlState(["q", "status"]);
    const [, setOther] = useUrlState(["open"]);
    const change = () => {
      setUrl({ q: null, status: null });
      setUrl({ q: "new" });
      setOther({ open: "7" });
    };
    return (
      <button type="button" onClick={change}>
        Change
      </button>
    );
  }
  const { user, router } = await show(<Page />, { at: "/?status=active&q=old" });
  await user.click(screen.getByRole("button", { name: "Change" }));
  expect(router.state.location.search).toBe("?q=new&open=7");
});

it("what was typed calls nobody back who is on the way to another page", async () => {
  let come = (_: { Component: () => string }) => {};
  const page = new Promise<{ Component: () => string }>((resolve) => {
    come = resolve;
  });
  let told = () => {};
  function Page() {
    const [, setUrl] = useUrlState(["q"]);
    told = () => setUrl({ q: "late" });
    return null;
  }
  const others = [{ path: "/slow", lazy: () => page }];
  const { router } = await show(<Page />, { others });
  const arrived = router.navigate("/slow");
  act(told);
  come({ Component: () => "the other page" });
  await act(() => arrived);
  expect(screen.getByText("the other page")).toBeTruthy();
  expect(router.state.location.search).toBe("");
});

it("a time range is one of the usual, or free", async () => {
  const onChange = vi.fn();
  const { user } = await show(<TimeRangePicker value={{ range: "24h" }} onChange={onChange} isFree />);
  await user.click(screen.getByRole("radio", { name: "7d" }));
  expect(onChange).toHaveBeenLastCalledWith({ range: "7d" });
  await user.click(screen.getByRole("button", { name: "Custom" }));
  await user.type(screen.getByLabelText("From"), "2026-11-20T10:00");
  await user.type(screen.getByLabelText("To"), "2026-11-20T09:00");
  expect((screen.getByRole("button", { name: "Show" }) as HTMLButtonElement).disabled).toBe(true);
  await user.clear(screen.getByLabelText("To"));
  await user.type(screen.getByLabelText("To"), "2026-11-20T11:00");
  await user.click(screen.getByRole("button", { name: "Show" }));
  expect(onChange).toHaveBeenLastCalledWith({
    from: new Date("2026-11-20T10:00").toISOString(),
    to: new Date("2026-11-20T11:00").toISOString(),
  });
});
