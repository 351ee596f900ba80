// Client keys: what callers show to keymux, what each may use, and what it has used.

import { Button, Group } from "@mantine/core";
import { IconPlugConnected, IconPlus, IconSearchOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { ListQuery } from "@/api/list";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { ClientDrawer } from "./ClientDrawer";
import { filterNames, useClients } from "./clients";
import { useColumns } from "./columns";
import { NewClient } from "./NewClient";
import { useFilters } from "./useFilters";

export default function ClientsPage() {
  const { t } = useTranslation("clients");
  const [url, setUrl] = useUrlState([...filterNames, "sort", "client", "new"]);
  const { sort = "-created_at", client: open, new: like, ...filter } = url;
  const list = useClients({ ...filter, sort } as ListQuery<"/api/allowed_keys">);
  const filters = useFilters();
  const columns = useColumns();
  const openId = open ? Number(open) : null;
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setUrl({ new: "open" })}>
      {t("new")}
    </Button>
  );
  const noMatch = (
    <EmptyState
      icon={<IconSearchOff size={26} />}
      title={t("noMatch")}
      action={
        <Button variant="default" onClick={() => setUrl(Object.fromEntries(filterNames.map((name) => [name, null])))}>
          {t("common:filter.clear")}
        </Button>
      }
    />
  );
  const none = (
    <EmptyState icon={<IconPlugConnected size={26} />} title={t("empty")} action={add}>
      {t("emptyText")}
    </EmptyState>
  );
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} actions={add} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={filters} values={url} onChange={setUrl} />
        </Group>
        <DataTable
          label={t("title")}
          name="clients"
          columns={columns}
          list={list}
          rowId={(client) => client.id}
          rowName={(client) => client.name}
          sort={sort}
          onSort={(next) => setUrl({ sort: next === "-created_at" ? null : next })}
          onOpen={(client) => setUrl({ client: String(client.id) }, { push: true })}
          openId={openId}
          empty={Object.keys(filter).length > 0 ? noMatch : none}
        />
      </Panel>
      <ClientDrawer
        id={openId}
        onClose={() => setUrl({ client: null })}
        onCopy={(id) => setUrl({ client: null, new: String(id) })}
      />
      <NewClient like={like} onClose={() => setUrl({ new: null })} />
    </>
  );
}
