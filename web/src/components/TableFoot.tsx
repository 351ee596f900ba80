// How much of a list is there, and whether the rest could be had.

import { Button, Group, Loader, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { List } from "@/api/list";
import { useFormat } from "@/format/format";
import classes from "./DataTable.module.css";
import { useErrorText } from "./useErrorText";

export function TableFoot({ list }: { list: List<unknown> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const errorText = useErrorText();
  const shown = format.number(list.rows.length);
  return (
    <Group className={classes.foot} justify="space-between" gap="xs">
      <Text size="xs" c="dimmed">
        {list.total === undefined
          ? t("table.rows", { count: list.rows.length, shown })
          : t("table.rowsOf", { shown, total: format.number(list.total) })}
      </Text>
      {list.isLoadingMore && <Loader size={14} aria-label={t("loading")} />}
      {list.error && (
        <Group gap="xs" role="alert">
          <Text size="xs" c="var(--km-bad)">
            {errorText(list.error).title}
          </Text>
          <Button size="compact-xs" variant="light" onClick={list.refresh}>
            {t("retry")}
          </Button>
        </Group>
      )}
    </Group>
  );
}
