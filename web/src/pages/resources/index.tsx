// What belongs to projects of the providers: which client key made it, whose keys reach it, until when. Members see their own.

import { Button, Group } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { useColumns } from "./columns";
import { Empty } from "./Empty";
import { Forget } from "./Forget";
import { filterNames, type Resource, useResources } from "./resources";
import { useFilters } from "./useFilters";

const idOf = ({ provider, name }: Resource) => `${provider} ${name}`;

export default function ResourcesPage() {
  const { t } = useTranslation("resources");
  const [url, setUrl] = useUrlState(filterNames);
  const list = useResources(url);
  const filters = useFilters();
  const [asked, setAsked] = useState<Resource | null>(null);
  const columns = useColumns(setAsked);
  const isFiltered = Object.keys(url).length > 0;
  const clear = () => setUrl(Object.fromEntries(filterNames.map((name) => [name, null])));
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={filters} values={url} onChange={setUrl} />
        </Group>
        <DataTable
          label={t("title")}
          name="resources"
          columns={columns}
          list={list}
          rowId={idOf}
          rowName={({ name }) => name}
          empty={isFiltered ? <NoMatch onClear={clear} /> : <Empty />}
        />
      </Panel>
      <Forget of={asked} onClose={() => setAsked(null)} />
    </>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation("resources");
  return (
    <EmptyState
      icon={<IconSearchOff size={26} />}
      title={t("noMatch")}
      action={
        <Button variant="default" onClick={onClear}>
          {t("common:filter.clear")}
        </Button>
      }
    >
      {t("noMatchText")}
    </EmptyState>
  );
}
