// The activity log: who did what to which thing, and when. Members read what concerns their own.

import { Button, Group } from "@mantine/core";
import { IconHistory, IconSearchOff } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { Ago } from "@/components/Countdown";
import { type Column, DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { type TimeRange, TimeRangePicker } from "@/components/TimeRangePicker";
import { useNow } from "@/format/clock";
import { ActionBadge } from "./ActionBadge";
import { beginOf, filterNames, type Query, useActivity } from "./activity";
import classes from "./activity.module.css";
import { type Line, sentenceOf } from "./changes";
import { LineDrawer } from "./LineDrawer";
import { useFilters } from "./useFilters";

export default function ActivityPage() {
  const { t } = useTranslation("activity");
  const [url, setUrl] = useUrlState([...filterNames, "line"]);
  const { line: open, range, ...filter } = url;
  const from = beginOf(range, useNow(60_000)) ?? filter.from;
  const list = useActivity({ ...filter, ...(from ? { from } : {}) } as Query);
  const filters = useFilters();
  const columns = useColumns();
  const openId = open ? Number(open) : null;
  const clear = () => setUrl(Object.fromEntries(filterNames.map((name) => [name, null])));
  const chooseTime = (time: TimeRange) => setUrl({ range: null, from: null, to: null, ...time });
  const isFiltered = Object.keys(filter).length > 0 || range !== undefined;
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={filters} values={url} onChange={setUrl}>
            <TimeRangePicker value={timeOf(range, filter.from, filter.to)} onChange={chooseTime} isFree />
          </FilterBar>
        </Group>
        <DataTable
          label={t("title")}
          name="activity"
          columns={columns}
          list={list}
          rowId={(line) => line.id}
          rowName={(line) => `${line.action} ${sentenceOf(line)}`}
          onOpen={(line) => setUrl({ line: String(line.id) }, { push: true })}
          openId={openId}
          empty={
            isFiltered ? (
              <EmptyState
                icon={<IconSearchOff size={26} />}
                title={t("noMatch")}
                action={
                  <Button variant="default" onClick={clear}>
                    {t("common:filter.clear")}
                  </Button>
                }
              />
            ) : (
              <EmptyState icon={<IconHistory size={26} />} title={t("empty")}>
                {t("emptyText")}
              </EmptyState>
            )
          }
        />
      </Panel>
      <LineDrawer of={list.rows.find(({ id }) => id === openId)} onClose={() => setUrl({ line: null })} />
    </>
  );
}

/** What the picker shows: a usual time, one from here to there, or none. */
function timeOf(range: string | undefined, from: string | undefined, to: string | undefined): TimeRange {
  return from && to ? { from, to } : { range: range ?? "" };
}

function useColumns(): Column<Line>[] {
  const { t } = useTranslation("activity");
  return useMemo(
    () => [
      { id: "when", header: t("when"), width: 8, cell: (line) => <Ago time={line.at} /> },
      {
        id: "who",
        header: t("who"),
        width: 9,
        wide: 12,
        cell: (line) => <span className={classes.actor}>{line.actor}</span>,
      },
      {
        id: "action",
        header: t("did"),
        width: 11,
        card: "aside",
        cell: (line) => <ActionBadge action={line.action} />,
      },
      {
        id: "resource",
        header: t("what"),
        width: 10.5,
        cell: (line) => t(`resources.${line.resource}`, { defaultValue: line.resource }),
      },
      {
        id: "details",
        header: t("details"),
        card: "title",
        cell: (line) => <span className={classes.details}>{sentenceOf(line) || line.action}</span>,
      },
      { id: "which", header: t("which"), width: 10, isExtra: true, cell: (line) => line.resource_id ?? null },
      { id: "provider", header: t("provider"), width: 8, isExtra: true, cell: (line) => line.provider ?? null },
    ],
    [t],
  );
}
