// What is chosen in a list, the offer to choose all that match, and what can be done with them.

import { Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/format";
import type { DataTableProps } from "./DataTable";
import classes from "./DataTable.module.css";
import type { RowId, Selection } from "./useSelection";

type SelectionBarProps<Row extends object, Id extends RowId> = Pick<DataTableProps<Row, Id>, "list" | "bulkActions"> & {
  selection: Selection<Id>;
};

export function SelectionBar<Row extends object, Id extends RowId>({
  list,
  selection,
  bulkActions,
}: SelectionBarProps<Row, Id>) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = list.total ?? list.rows.length;
  const count = selection.count(total);
  if (count === 0) return null;
  const offersAll =
    !selection.isAll && list.total !== undefined && list.total > count && selection.ids.size >= list.rows.length;
  return (
    <section className={classes.selection} aria-label={t("table.selection")}>
      <Text size="sm" fw={560} role="status">
        {t(selection.isAll ? "table.chosenAll" : "table.chosen", { count, number: format.number(count) })}
      </Text>
      {offersAll && (
        <Button variant="subtle" size="compact-sm" onClick={selection.chooseAll}>
          {t("table.chooseAll", { number: format.number(total) })}
        </Button>
      )}
      <Button variant="subtle" color="gray" size="compact-sm" onClick={selection.clear}>
        {t("table.chooseNone")}
      </Button>
      <Group gap={6} className={classes.bulk}>
        {bulkActions}
      </Group>
    </section>
  );
}
