// The rows of DataTable on a phone: each is a card, and more come when they are asked for.

import { Button, Checkbox, Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./DataCards.module.css";
import type { Column, DataTableProps } from "./DataTable";
import { SelectionBar } from "./SelectionBar";
import { TableFoot } from "./TableFoot";
import type { RowId } from "./useSelection";

export function DataCards<Row extends object, Id extends RowId>(props: DataTableProps<Row, Id>) {
  const { t } = useTranslation();
  const { list, rowId, selection } = props;
  return (
    <div>
      <SortBy columns={props.columns} sort={props.sort} onSort={props.onSort} />
      {selection && <SelectionBar {...props} selection={selection} />}
      <ul className={classes.cards} aria-label={props.label}>
        {list.rows.map((row) => (
          <Card key={rowId(row)} row={row} {...props} />
        ))}
      </ul>
      {list.hasMore && (
        <Button fullWidth variant="default" onClick={list.loadMore} loading={list.isLoadingMore}>
          {t("table.more")}
        </Button>
      )}
      <TableFoot list={list} />
    </div>
  );
}

function Card<Row extends object, Id extends RowId>({
  row,
  columns,
  rowId,
  rowName,
  selection,
  onOpen,
  list,
}: DataTableProps<Row, Id> & { row: Row }) {
  const id = rowId(row);
  const at = (place: Column<Row>["card"]) => columns.filter((column) => column.card === place);
  const name = rowName(row);
  return (
    <li className={classes.card} data-selected={selection?.has(id) || undefined}>
      <div className={classes.top}>
        {selection && (
          <Checkbox
            size="sm"
            aria-label={name}
            checked={selection.has(id)}
            onChange={() => selection.toggle(id, list.rows.map(rowId))}
          />
        )}
        <div className={classes.title}>
          {onOpen ? (
            <button type="button" className={classes.open} onClick={() => onOpen(row)}>
              {at("title").map((column) => (
                <span key={column.id}>{column.cell(row)}</span>
              ))}
            </button>
          ) : (
            at("title").map((column) => <span key={column.id}>{column.cell(row)}</span>)
          )}
        </div>
        <div>
          {at("aside").map((column) => (
            <span key={column.id}>{column.cell(row)}</span>
          ))}
        </div>
      </div>
      <dl className={classes.lines}>
        {at(undefined)
          .filter(({ isExtra }) => !isExtra)
          .map((column) => ({ column, content: column.cell(row) }))
          .filter(({ content }) => content !== null)
          .map(({ column, content }) => (
            <div key={column.id}>
              <dt>{column.header}</dt>
              <dd>{content}</dd>
            </div>
          ))}
      </dl>
    </li>
  );
}

function SortBy<Row extends object>({
  columns,
  sort,
  onSort,
}: Pick<DataTableProps<Row>, "columns" | "sort" | "onSort">) {
  const { t } = useTranslation();
  const orders = columns.flatMap(({ sort: field, header }) =>
    field
      ? [
          { value: field, label: `${header} ↑` },
          { value: `-${field}`, label: `${header} ↓` },
        ]
      : [],
  );
  if (!onSort || orders.length === 0) return null;
  return (
    <Select
      size="xs"
      className={classes.sort}
      aria-label={t("table.sortBy")}
      placeholder={t("table.sortBy")}
      data={orders}
      value={sort ?? null}
      onChange={(order) => order && onSort(order)}
    />
  );
}
