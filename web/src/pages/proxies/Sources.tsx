// The lists that proxies are found in: how each was read, what it gave, and when it is read again.

import { Button, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { List } from "@/api/list";
import { Ago, Countdown } from "@/components/Countdown";
import { type Column, DataTable } from "@/components/DataTable";
import { Panel } from "@/components/Panel";
import { ToneBadge } from "@/components/StatusBadge";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import classes from "./proxies.module.css";
import { countLeftOut, readingOf, type Source, toneOfReading, useReadAgain } from "./sources";

type SourcesProps = { list: List<Source>; openName: string | undefined; onOpen: (name: string) => void };

export function Sources({ list, openName, onOpen }: SourcesProps) {
  const { t } = useTranslation("proxies");
  return (
    <Panel title={t("lists.title")} aside={<ReadAgain />} isFlush>
      <DataTable
        label={t("lists.title")}
        name="proxy-lists"
        columns={useColumns()}
        list={list}
        rowId={({ name }) => name}
        rowName={({ name }) => name}
        openId={openName ?? null}
        onOpen={({ name }) => onOpen(name)}
        empty={null}
      />
    </Panel>
  );
}

function ReadAgain() {
  const { t } = useTranslation("proxies");
  const notify = useNotify();
  const reading = useReadAgain();
  const run = () =>
    reading.mutate(undefined, {
      onSuccess: ({ items }) => notify.done(t("lists.done", { count: items.length })),
      onError: notify.failed,
    });
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconRefresh size={15} />}
      loading={reading.isPending}
      onClick={run}
    >
      {t("lists.readAgain")}
    </Button>
  );
}

function useColumns(): Column<Source>[] {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "name",
        header: t("list"),
        width: 12,
        card: "title",
        cell: ({ name }) => <code className={classes.name}>{name}</code>,
      },
      {
        id: "state",
        header: t("status"),
        width: 9,
        card: "aside",
        cell: (source) => {
          const reading = readingOf(source);
          return <ToneBadge tone={toneOfReading[reading]}>{t(`lists.reading.${reading}`)}</ToneBadge>;
        },
      },
      {
        id: "problem",
        header: t("reason"),
        cell: ({ problem }) =>
          problem ? (
            <Text size="sm" span lang="en" title={problem}>
              {problem}
            </Text>
          ) : null,
      },
      {
        id: "found",
        header: t("lists.found"),
        width: 6,
        align: "end",
        cell: ({ proxies }) => format.number(proxies),
      },
      {
        id: "leftOut",
        header: t("lists.leftOut"),
        width: 6,
        align: "end",
        cell: (source) => format.number(countLeftOut(source)),
      },
      {
        id: "read",
        header: t("lists.readAt"),
        width: 7.5,
        cell: ({ read_at }) => (read_at ? <Ago time={read_at} /> : null),
      },
      {
        id: "next",
        header: t("lists.nextAt"),
        width: 7,
        cell: ({ next_at }) => <Countdown to={next_at} />,
      },
    ],
    [t, format],
  );
}
