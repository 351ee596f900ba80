// What is left of today: for each model how many requests its projects may still take, and whether that lasts until midnight
// in Los Angeles. It is an estimate, and where there is nothing to estimate from it says so.

import { Table, Text, Tooltip } from "@mantine/core";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import { useCapacity } from "@/api/figures";
import { PacificReset } from "@/components/Countdown";
import { Panel } from "@/components/Panel";
import { ToneBadge } from "@/components/StatusBadge";
import { ErrorState, LoadingRows } from "@/components/states";
import { useFormat } from "@/format/format";
import classes from "./overview.module.css";

const most = 8;

export const Capacity = memo(function Capacity() {
  const { t } = useTranslation("overview");
  const { data, error, refetch } = useCapacity();
  return (
    <Panel title={t("capacity.title")} aside={<PacificReset />}>
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <LoadingRows count={4} />
      ) : data.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("capacity.empty")}
        </Text>
      ) : (
        <Models items={data.items} />
      )}
    </Panel>
  );
});

function Models({ items }: { items: Schema<"ModelCapacity">[] }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  return (
    <div className={classes.scroll}>
      <Table fz="sm" horizontalSpacing={6} verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("capacity.model")}</Table.Th>
            <Table.Th scope="col" ta="end">
              {t("capacity.keys")}
            </Table.Th>
            <Table.Th scope="col" ta="end">
              {t("capacity.today")}
            </Table.Th>
            <Table.Th scope="col" ta="end">
              {t("capacity.left")}
            </Table.Th>
            <Table.Th scope="col">{t("capacity.lasts")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.slice(0, most).map((item) => (
            <Table.Tr key={item.id}>
              <Table.Th scope="row" fw={500} className={classes.model}>
                {item.id}
              </Table.Th>
              <Table.Td ta="end">{format.number(item.usable_keys)}</Table.Td>
              <Table.Td ta="end">{format.compact(item.requests_today)}</Table.Td>
              <Table.Td ta="end">
                <Left item={item} />
              </Table.Td>
              <Table.Td>
                <Lasts item={item} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" mt="xs">
        {t("capacity.how")}
      </Text>
    </div>
  );
}

function Left({ item }: { item: Schema<"ModelCapacity"> }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  if (item.left_today === null || item.left_today === undefined) {
    return (
      <Tooltip label={t("capacity.unknownHint")}>
        <span>{t("capacity.unknown")}</span>
      </Tooltip>
    );
  }
  return (
    <Tooltip
      label={t("capacity.limitHint", {
        limit: format.number(item.daily_limit ?? 0),
        usedUp: format.number(item.projects_used_up),
        projects: format.number(item.projects),
      })}
    >
      <span>≈ {format.compact(item.left_today)}</span>
    </Tooltip>
  );
}

function Lasts({ item }: { item: Schema<"ModelCapacity"> }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  if (item.usable_keys === 0) return <ToneBadge tone="bad">{t("capacity.out")}</ToneBadge>;
  if (item.exhausted_at)
    return <ToneBadge tone="warn">{t("capacity.until", { time: format.time(item.exhausted_at) })}</ToneBadge>;
  if (item.left_today === null || item.left_today === undefined)
    return (
      <Text size="sm" c="dimmed">
        –
      </Text>
    );
  return <ToneBadge tone="ok">{t("capacity.enough")}</ToneBadge>;
}
