// Provider keys: found, looked at, changed one by one or by the hundred thousand, brought in and taken out.

import { Button, Group } from "@mantine/core";
import { IconKey, IconPlus, IconSearchOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { useSelection } from "@/components/useSelection";
import { useIsAdmin } from "@/session/session";
import { BulkActions } from "./BulkActions";
import { BulkJobs, type RunningJob } from "./BulkJobs";
import { useColumns } from "./columns";
import { ExportMenu } from "./ExportMenu";
import { ImportDialog } from "./ImportDialog";
import { KeyDrawer } from "./KeyDrawer";
import { filterNames, type KeyFilter, nameOf, useKeys } from "./keys";
import { useFilters } from "./useFilters";

export default function KeysPage() {
  const { t } = useTranslation("keys");
  const isAdmin = useIsAdmin();
  const [url, setUrl] = useUrlState([...filterNames, "sort", "key", "import"]);
  const { sort = "id", key: open, import: isImporting, ...filter } = url as typeof url & KeyFilter;
  const list = useKeys({ ...filter, sort });
  const selection = useSelection<number>(filter);
  const [jobs, setJobs] = useState<RunningJob[]>([]);
  const openId = open ? Number(open) : null;
  const filters = useFilters();
  const columns = useColumns();
  const isFiltered = Object.keys(filter).length > 0;
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setUrl({ import: "open" })}>
      {t("add")}
    </Button>
  );
  return (
    <>
      <PageHeader
        title={t("title")}
        lead={t("lead")}
        actions={
          <>
            {isAdmin && <ExportMenu filter={filter} total={list.total} />}
            {add}
          </>
        }
      />
      <BulkJobs jobs={jobs} onDismiss={(id) => setJobs((before) => before.filter((job) => job.id !== id))} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={filters} values={url} onChange={setUrl} />
        </Group>
        <DataTable
          label={t("title")}
          name="keys"
          columns={columns}
          list={list}
          rowId={(key) => key.id}
          rowName={nameOf}
          sort={sort}
          onSort={(next) => setUrl({ sort: next === "id" ? null : next })}
          selection={selection}
          bulkActions={
            <BulkActions
              selection={selection}
              filter={filter}
              rows={list.rows}
              onJob={(job) => setJobs((before) => [...before, job])}
            />
          }
          onOpen={(key) => setUrl({ key: String(key.id) }, { push: true })}
          openId={openId}
          empty={
            isFiltered ? (
              <EmptyState
                icon={<IconSearchOff size={26} />}
                title={t("noMatch")}
                action={
                  <Button
                    variant="default"
                    onClick={() => setUrl(Object.fromEntries(filterNames.map((name) => [name, null])))}
                  >
                    {t("common:filter.clear")}
                  </Button>
                }
              >
                {t("noMatchText")}
              </EmptyState>
            ) : (
              <EmptyState icon={<IconKey size={26} />} title={t("empty")} action={add}>
                {t("emptyText")}
              </EmptyState>
            )
          }
        />
      </Panel>
      <KeyDrawer id={openId} onClose={() => setUrl({ key: null })} />
      <ImportDialog opened={isImporting === "open"} onClose={() => setUrl({ import: null })} />
    </>
  );
}
