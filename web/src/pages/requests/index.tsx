// The request log: found by filters, watched as it grows, each request with what was tried for it and why.

import { Button, Group } from "@mantine/core";
import { IconArrowUp, IconList, IconPlayerPause, IconPlayerPlay, IconSearchOff } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { type TimeRange, TimeRangePicker } from "@/components/TimeRangePicker";
import { useFormat } from "@/format/format";
import { useColumns } from "./columns";
import { ExportMenu } from "./ExportMenu";
import { RequestDrawer } from "./RequestDrawer";
import { filterNames, timeNames, timeOf, useRequestQuery } from "./requests";
import classes from "./requests.module.css";
import { scrollToTop, useAtTop } from "./useAtTop";
import { useFilters } from "./useFilters";
import { useTail } from "./useTail";

const nothing = Object.fromEntries([...filterNames, ...timeNames].map((name) => [name, null]));

export default function RequestsPage() {
  const { t } = useTranslation("requests");
  const [url, setUrl] = useUrlState([...filterNames, ...timeNames, "request"]);
  const { request: openId, ...filter } = url;
  const query = useRequestQuery(filter);
  const isFiltered = Object.keys(filter).length > 0;
  const [isPaused, setIsPaused] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const { isAtTop, onScrollCapture } = useAtTop();
  const { list, waiting, showWaiting } = useTail(query, isAtTop && !isPaused && !isFiltered);
  const setTime = (time: TimeRange) => setUrl({ range: null, from: null, to: null, ...time });
  return (
    <>
      <PageHeader
        title={t("title")}
        lead={t("lead")}
        actions={
          <>
            <LiveToggle isPaused={isPaused} onChange={setIsPaused} />
            <ExportMenu query={query} />
          </>
        }
      />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={useFilters(filter)} values={url} onChange={setUrl} alsoClears={timeNames}>
            <div className={classes.range}>
              <TimeRangePicker value={timeOf(filter)} onChange={setTime} isFree />
            </div>
          </FilterBar>
        </Group>
        <div ref={place} className={classes.log} onScrollCapture={onScrollCapture}>
          <Waiting
            count={waiting}
            onShow={() => {
              showWaiting();
              scrollToTop(place.current);
            }}
          />
          <DataTable
            label={t("title")}
            name="requests"
            columns={useColumns()}
            list={list}
            rowId={(row) => row.id}
            rowName={(row) => `${row.status} ${row.model ?? row.endpoint}`}
            onOpen={(row) => setUrl({ request: row.id }, { push: true })}
            openId={openId ?? null}
            empty={
              isFiltered ? (
                <EmptyState
                  icon={<IconSearchOff size={26} />}
                  title={t("noMatch")}
                  action={
                    <Button variant="default" onClick={() => setUrl(nothing)}>
                      {t("common:filter.clear")}
                    </Button>
                  }
                >
                  {t("noMatchText")}
                </EmptyState>
              ) : (
                <EmptyState icon={<IconList size={26} />} title={t("empty")}>
                  {t("emptyText")}
                </EmptyState>
              )
            }
          />
        </div>
      </Panel>
      <RequestDrawer id={openId ?? null} onClose={() => setUrl({ request: null })} />
    </>
  );
}

function LiveToggle({ isPaused, onChange }: { isPaused: boolean; onChange: (isPaused: boolean) => void }) {
  const { t } = useTranslation("requests");
  return (
    <Button
      variant="default"
      leftSection={isPaused ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
      onClick={() => onChange(!isPaused)}
    >
      {t(isPaused ? "resume" : "pause")}
    </Button>
  );
}

/** How many have come that are not shown; they are, when somebody wants them. */
function Waiting({ count, onShow }: { count: number; onShow: () => void }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  return (
    <div className={classes.waiting} role="status">
      {count > 0 && (
        <Button size="compact-sm" radius="xl" leftSection={<IconArrowUp size={14} />} onClick={onShow}>
          {t("new", { count, number: format.number(count) })}
        </Button>
      )}
    </div>
  );
}
