// The table of DataTable: sticky head, virtual rows, keyboard.

import { ActionIcon, Checkbox, Menu, Tooltip } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { columnVisibilityFeature, createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import type { Column, DataTableProps } from "./DataTable";
import classes from "./DataTable.module.css";
import { SelectionBar } from "./SelectionBar";
import { TableFoot } from "./TableFoot";
import type { RowId } from "./useSelection";

const features = tableFeatures({ columnVisibilityFeature });
const rowHeight = 41;
/** So many rows before the end more are asked for. */
const early = 20;

export function TableGrid<Row extends object, Id extends RowId>(props: DataTableProps<Row, Id>) {
  const { columns, list, rowId, rowName, selection, onOpen } = props;
  const [hidden, setHidden] = useLocalStorage<Record<string, boolean>>({
    key: `keymux-columns-${props.name}`,
    defaultValue: Object.fromEntries(columns.map(({ id, isExtra }) => [id, !isExtra])),
    getInitialValueInEffect: false,
  });
  const definitions = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    return helper.columns(columns.map(({ id }) => helper.display({ id })));
  }, [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: list.rows,
    getRowId: (row) => String(rowId(row)),
    state: { columnVisibility: hidden },
    onColumnVisibilityChange: (change) =>
      setHidden((before) => (typeof change === "function" ? change(before) : change)),
  });
  const shown = table.getVisibleLeafColumns().flatMap(({ id }) => columns.find((column) => column.id === id) ?? []);
  const rows = table.getRowModel().rows;

  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    // A row is the same row when others come above it: whoever stands on it stays on it.
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const drawn = virtual.getVirtualItems();
  const lastDrawn = drawn.at(-1)?.index ?? 0;
  const { loadMore, hasMore } = list;
  useEffect(() => {
    if (hasMore && lastDrawn >= rows.length - early) loadMore();
  }, [hasMore, lastDrawn, rows.length, loadMore]);

  const [current, setCurrent] = useState<string | undefined>();
  // The row that Tab leads to: where one was, or else the first.
  const stop = drawn.some(({ key }) => key === current) ? current : drawn[0]?.key;
  const focusRow = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setCurrent(rows[next]?.id);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
  };
  const ids = () => list.rows.map(rowId);
  const onKey = (event: KeyboardEvent, index: number, row: Row) => {
    if (event.target !== event.currentTarget) return;
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: index + 12,
      PageUp: index - 12,
    };
    const to = moves[event.key];
    if (to !== undefined) focusRow(to);
    else if (event.key === "Enter" && onOpen) onOpen(row);
    else if (event.key === " " && selection) selection.toggle(rowId(row), ids());
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent, row: Row) => {
    // What is in the row does its own thing, and so does marking a text.
    if ((event.target as HTMLElement).closest("button, a, input, label") || window.getSelection()?.toString()) return;
    onOpen?.(row);
  };

  const before = drawn[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  const span = shown.length + (selection ? 1 : 0);
  return (
    <div className={classes.frame} data-outdated={list.isOutdated || undefined}>
      {selection && <SelectionBar {...props} selection={selection} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section ref={scroller} className={classes.scroller} aria-label={props.label} tabIndex={0}>
        <table
          className={classes.table}
          style={{ minWidth: `${leastWidth(shown)}rem` }}
          aria-rowcount={list.total === undefined ? -1 : list.total + 1}
          aria-busy={list.isLoadingMore}
        >
          <caption className={classes.caption}>{props.label}</caption>
          <colgroup>
            {selection && <col className={classes.checkColumn} />}
            {shown.map(({ id, width, wide }) => (
              <col key={id} className={classes.column} style={widths(width, wide)} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {selection && (
                <th scope="col" className={classes.check}>
                  <CheckShown {...props} selection={selection} />
                </th>
              )}
              {shown.map((column, index) => (
                <Head key={column.id} column={column} sort={props.sort} onSort={props.onSort}>
                  {index === shown.length - 1 && (
                    <ColumnMenu
                      columns={columns}
                      hidden={hidden}
                      onChange={(id, isShown) => setHidden({ ...hidden, [id]: isShown })}
                    />
                  )}
                </Head>
              ))}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <Space height={before} span={span} />}
            {drawn.map(({ index, key }) => {
              const row = rows[index]?.original;
              if (!row) return null;
              const id = rowId(row);
              return (
                <tr
                  key={key}
                  data-index={index}
                  data-open={props.openId === id || undefined}
                  data-selected={selection?.has(id) || undefined}
                  data-clickable={onOpen !== undefined || undefined}
                  aria-rowindex={index + 2}
                  aria-selected={selection?.has(id)}
                  tabIndex={key === stop ? 0 : -1}
                  onKeyDown={(event) => onKey(event, index, row)}
                  onClick={(event) => onClick(event, row)}
                  onFocus={() => setCurrent(String(id))}
                >
                  {selection && (
                    <td className={classes.check}>
                      <Checkbox
                        size="xs"
                        aria-label={rowName(row)}
                        checked={selection.has(id)}
                        onChange={() => {}}
                        onClick={(event) =>
                          event.shiftKey ? selection.extend(id, ids()) : selection.toggle(id, ids())
                        }
                      />
                    </td>
                  )}
                  {shown.map((column) => (
                    <td key={column.id} data-align={column.align} onPointerEnter={tellWhole}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
            {after > 0 && <Space height={after} span={span} />}
          </tbody>
        </table>
      </section>
      <TableFoot list={list} />
    </div>
  );
}

/** What does not fit in its cell is told whole to whoever points at it. */
function tellWhole({ currentTarget: cell }: PointerEvent<HTMLElement>) {
  const isCut = [cell, ...cell.querySelectorAll("*")].some((part) => part.scrollWidth > part.clientWidth + 1);
  cell.title = isCut ? (cell.textContent ?? "") : "";
}

/** For DataTable.module.css, which knows how wide the table is. */
function widths(width: number | undefined, wide: number | undefined) {
  const least = width ? `${width}rem` : "auto";
  return { "--least": least, "--wide": wide ? `${wide}%` : least } as CSSProperties;
}

/** In rem: a column that shares what is left gets enough to be read. */
function leastWidth<Row extends object>(shown: Column<Row>[]): number {
  return shown.reduce((sum, { width }) => sum + (width ?? 13), 0);
}

function Space({ height, span }: { height: number; span: number }) {
  return (
    <tr aria-hidden className={classes.space}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

type HeadProps<Row extends object> = Pick<DataTableProps<Row>, "sort" | "onSort"> & {
  column: Column<Row>;
  children: React.ReactNode;
};

function Head<Row extends object>({ column, sort, onSort, children }: HeadProps<Row>) {
  const field = column.sort;
  const isDescending = sort === `-${field}`;
  const isSorted = field !== undefined && (sort === field || isDescending);
  const Arrow = !isSorted ? IconArrowsSort : isDescending ? IconArrowDown : IconArrowUp;
  return (
    <th
      scope="col"
      data-align={column.align}
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
    >
      <span className={classes.head}>
        {field && onSort ? (
          <button
            type="button"
            className={classes.sort}
            data-sorted={isSorted || undefined}
            onClick={() => onSort(isSorted && !isDescending ? `-${field}` : field)}
          >
            {column.header}
            <Arrow size={13} aria-hidden />
          </button>
        ) : (
          <span>{column.header}</span>
        )}
        {children}
      </span>
    </th>
  );
}

type ColumnMenuProps<Row extends object> = {
  columns: Column<Row>[];
  hidden: Record<string, boolean>;
  onChange: (id: string, isShown: boolean) => void;
};

function ColumnMenu<Row extends object>({ columns, hidden, onChange }: ColumnMenuProps<Row>) {
  const { t } = useTranslation();
  return (
    <Menu closeOnItemClick={false}>
      <Menu.Target>
        <Tooltip label={t("table.columns")}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={t("table.columns")}
            className={classes.columnMenu}
          >
            <IconColumns3 size={15} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {columns.slice(1).map(({ id, header }) => (
          <Menu.CheckboxItem key={id} checked={hidden[id] !== false} onChange={(isShown) => onChange(id, isShown)}>
            {header}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Chooses every row that has come, or none. */
function CheckShown<Row extends object, Id extends RowId>({
  list,
  rowId,
  selection,
}: DataTableProps<Row, Id> & { selection: NonNullable<DataTableProps<Row, Id>["selection"]> }) {
  const { t } = useTranslation();
  const count = selection.count(list.total ?? list.rows.length);
  const isFull = selection.isAll || (count > 0 && count >= list.rows.length);
  return (
    <Checkbox
      size="xs"
      aria-label={t("table.chooseShown")}
      checked={isFull}
      indeterminate={!isFull && count > 0}
      onChange={() => (count > 0 ? selection.clear() : selection.choose(list.rows.map(rowId)))}
    />
  );
}
