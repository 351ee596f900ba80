// A list as a table: rows come in pages while it is scrolled, and only those that are seen are drawn. On a phone each row
// is a card. By keyboard: up and down move, Enter opens, space chooses.

import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import type { List } from "@/api/list";
import { DataCards } from "./DataCards";
import classes from "./DataTable.module.css";
import { ErrorState, LoadingRows } from "./states";
import { TableGrid } from "./TableGrid";
import type { RowId, Selection } from "./useSelection";

export type Column<Row> = {
  id: string;
  header: string;
  /** Null: there is nothing to say, and on a card no line for it. */
  cell: (row: Row) => ReactNode;
  /** The field that the list can be sorted by. */
  sort?: string;
  align?: "end";
  /** In rem; what has none shares what is left. */
  width?: number;
  /** In percent of a wide table, for what is often longer than `width`. */
  wide?: number;
  /** Not shown until somebody asks for it. */
  isExtra?: boolean;
  /** On a card: at the top, at its right, or nowhere; else as one of its lines. */
  card?: "title" | "aside" | "none";
};

export type DataTableProps<Row extends object, Id extends RowId = RowId> = {
  /** What the rows are, for those who do not see the table. */
  label: string;
  /** Under this name it is remembered which columns are shown. */
  name: string;
  columns: Column<Row>[];
  list: List<Row>;
  rowId: (row: Row) => Id;
  /** The row in a few words, for its checkbox and its button. */
  rowName: (row: Row) => string;
  /** `-created_at`, as the list is asked for. */
  sort?: string | undefined;
  onSort?: (sort: string) => void;
  selection?: Selection<Id>;
  /** What is done with those that are chosen. */
  bulkActions?: ReactNode;
  onOpen?: (row: Row) => void;
  openId?: Id | null;
  /** What is shown when there is no row. */
  empty: ReactNode;
};

export function DataTable<Row extends object, Id extends RowId>(props: DataTableProps<Row, Id>) {
  const { list } = props;
  const isNarrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const needsMore = list.rows.length === 0 && list.hasMore && !list.isPending && !list.error;
  const { loadMore } = list;
  // A page may be empty while there is more: rare things are searched for in steps.
  useEffect(() => {
    if (needsMore) loadMore();
  }, [needsMore, loadMore]);

  if (list.error && list.rows.length === 0) return <ErrorState error={list.error} onRetry={list.refresh} />;
  if (list.isPending || (list.rows.length === 0 && list.hasMore)) return <LoadingRows />;
  if (list.rows.length === 0) return <div className={classes.empty}>{props.empty}</div>;
  return isNarrow ? <DataCards {...props} /> : <TableGrid {...props} />;
}
