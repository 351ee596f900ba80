// The columns of the list of keys.

import { Badge, Group, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Ago, Countdown } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { StatusBadge } from "@/components/StatusBadge";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import type { Key } from "./keys";
import classes from "./keys.module.css";

export function useColumns(): Column<Key>[] {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const reason = useReason();
  return useMemo(
    () => [
      { id: "key", header: t("key"), sort: "label", card: "title", cell: (key) => <KeyName of={key} /> },
      {
        id: "status",
        header: t("status"),
        sort: "status",
        width: 7,
        card: "aside",
        cell: (key) => <StatusBadge status={key.status} />,
      },
      {
        id: "why",
        header: t("why"),
        width: 12,
        wide: 18,
        cell: (key) =>
          key.reason ? (
            <Group gap={6} wrap="nowrap">
              <span className={classes.reason} title={key.reason}>
                {reason(key.reason)}
              </span>
              {key.cooling_until && <Countdown to={key.cooling_until} className={classes.until} />}
            </Group>
          ) : null,
      },
      { id: "provider", header: t("provider"), sort: "provider", width: 7, cell: (key) => key.provider },
      {
        id: "project",
        header: t("project"),
        sort: "project",
        width: 8,
        wide: 12,
        cell: (key) =>
          key.project ?? (
            <Text size="sm" c="dimmed">
              {t("ownProject")}
            </Text>
          ),
      },
      {
        id: "latency",
        header: t("latency"),
        sort: "latency_ms",
        align: "end",
        width: 6.5,
        cell: (key) => (key.latency_ms ? format.latency(key.latency_ms) : null),
      },
      {
        id: "inFlight",
        header: t("inFlight"),
        sort: "in_flight",
        align: "end",
        width: 6.5,
        isExtra: true,
        cell: (key) => format.number(key.in_flight),
      },
      {
        id: "failures",
        header: t("failures"),
        align: "end",
        width: 6,
        isExtra: true,
        cell: (key) => format.number(key.failures),
      },
      {
        id: "weight",
        header: t("weight"),
        sort: "weight",
        align: "end",
        width: 7,
        isExtra: true,
        cell: (key) => format.number(key.weight),
      },
      {
        id: "priority",
        header: t("priority"),
        sort: "priority",
        align: "end",
        width: 7,
        isExtra: true,
        cell: (key) => format.number(key.priority),
      },
      { id: "source", header: t("source"), width: 9, isExtra: true, cell: (key) => t(`sources.${key.source}`) },
      { id: "owner", header: t("owner"), width: 8, isExtra: true, cell: (key) => key.owner ?? t("pool") },
      { id: "egress", header: t("egress"), width: 12, isExtra: true, cell: (key) => key.egress ?? t("egressPool") },
      {
        id: "created",
        header: t("created"),
        sort: "created_at",
        width: 8,
        cell: (key) => <Ago time={key.created_at} />,
      },
    ],
    [t, format, reason],
  );
}

function KeyName({ of: key }: { of: Key }) {
  const { t } = useTranslation("keys");
  return (
    <span className={classes.name}>
      {key.label && <span className={classes.label}>{key.label}</span>}
      <code className={classes.masked}>{key.masked_key}</code>
      {key.selected && (
        <Badge size="xs" variant="outline">
          {t("selected")}
        </Badge>
      )}
    </span>
  );
}
