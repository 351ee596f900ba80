// Live sessions that are open now: whose they are, where they go, what has passed. Members see, and end, their own.

import { Button, Group } from "@mantine/core";
import { IconBroadcast, IconSearchOff } from "@tabler/icons-react";
import { useState } from "react";
import { Trans, useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { nameOf, useColumns } from "./columns";
import { EndSession } from "./EndSession";
import { type Session, useSessions } from "./live";
import classes from "./live.module.css";

const usualSort = "-since";

export default function LivePage() {
  const { t } = useTranslation("live");
  const [url, setUrl] = useUrlState(["q", "sort"]);
  const { q, sort = usualSort } = url;
  const list = useSessions(q, sort);
  const [asked, setAsked] = useState<Session | null>(null);
  const columns = useColumns(setAsked);
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar
            filters={[{ name: "q", label: t("search"), kind: "text", placeholder: t("searchHint") }]}
            values={url}
            onChange={setUrl}
          />
        </Group>
        <DataTable
          label={t("title")}
          name="live"
          columns={columns}
          list={list}
          rowId={({ id }) => id}
          rowName={nameOf}
          sort={sort}
          onSort={(next) => setUrl({ sort: next === usualSort ? null : next })}
          empty={q ? <NoMatch onClear={() => setUrl({ q: null })} /> : <Empty />}
        />
      </Panel>
      <EndSession of={asked} onClose={() => setAsked(null)} />
    </>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation("live");
  const action = (
    <Button variant="default" onClick={onClear}>
      {t("common:filter.clear")}
    </Button>
  );
  return <EmptyState icon={<IconSearchOff size={26} />} title={t("noMatch")} action={action} />;
}

function Empty() {
  const { t } = useTranslation("live");
  return (
    <EmptyState icon={<IconBroadcast size={26} />} title={t("empty")}>
      <Trans
        t={t}
        i18nKey="emptyText"
        values={{ address: home.href }}
        components={{ code: <code className={classes.id} /> }}
      />
    </EmptyState>
  );
}
