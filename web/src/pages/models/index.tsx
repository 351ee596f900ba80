// Which key can serve which model now, until when it cannot, and why; what is set aside is released by hand.

import { Button, Group, Select } from "@mantine/core";
import { IconKey, IconSearchOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useUrlState } from "@/app/urlState";
import { type Filter, FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState, ErrorState, LoadingRows } from "@/components/states";
import { useIsAdmin } from "@/session/session";
import { Grid } from "./Grid";
import { type KeyQuery, useModels, useProviders, useStandings } from "./models";
import { Opened } from "./Opened";
import { Summary } from "./Summary";

const statuses = ["active", "cooling", "invalid", "disabled"] as const;
const filterNames = ["q", "provider", "status"] as const;

export default function ModelsPage() {
  const { t } = useTranslation("models");
  const [url, setUrl] = useUrlState([...filterNames, "key", "model"]);
  const providers = useProviders();
  const [fullest] = [...(providers.data ?? [])].sort((one, other) => other.keys.total - one.keys.total);
  const provider = url.provider ?? fullest?.name;
  const { models, ...known } = useModels(provider);
  const query = { ...pick(url), ...(provider && { provider }) } as KeyQuery;
  const list = useStandings(query, provider !== undefined);
  const filters: Filter[] = [
    { name: "q", label: t("search"), kind: "text", placeholder: t("searchHint") },
    {
      name: "status",
      label: t("keyState"),
      kind: "choice",
      choices: statuses.map((status) => ({ value: status, label: t(`common:keyStatus.${status}`) })),
    },
  ];
  const error = providers.error ?? known.error ?? list.error;
  const retry = () => {
    void providers.refetch();
    known.refresh();
    list.refresh();
  };
  const isGoogle = providers.data?.find(({ name }) => name === provider)?.kind === "gemini";
  return (
    <>
      <PageHeader
        title={t("title")}
        lead={t("lead")}
        actions={
          <Select
            aria-label={t("provider")}
            placeholder={t("provider")}
            data={(providers.data ?? []).map(({ name }) => name)}
            value={provider ?? null}
            onChange={(name) => setUrl({ provider: name, key: null, model: null })}
            allowDeselect={false}
          />
        }
      />
      <Summary models={models} isGoogle={isGoogle} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar filters={filters} values={url} onChange={setUrl} />
        </Group>
        {error && list.rows.length === 0 ? (
          <ErrorState error={error} onRetry={retry} />
        ) : list.isPending || known.isPending ? (
          <LoadingRows />
        ) : list.rows.length === 0 ? (
          <Nothing isFiltered={Boolean(url.q || url.status)} onClear={() => setUrl({ q: null, status: null })} />
        ) : (
          <Grid
            list={list}
            models={models}
            onOpen={(what) => setUrl({ key: null, model: null, ...what }, { push: true })}
          />
        )}
      </Panel>
      {provider && (
        <Opened
          provider={provider}
          keyRow={list.rows.find(({ id }) => String(id) === url.key)}
          model={models.find(({ model }) => model === url.model)}
          onClose={() => setUrl({ key: null, model: null })}
        />
      )}
    </>
  );
}

function pick({ q, status }: { q?: string; status?: string }) {
  return { ...(q && { q }), ...(status && { status }) };
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const { t } = useTranslation("models");
  const isAdmin = useIsAdmin();
  if (isFiltered)
    return (
      <EmptyState
        icon={<IconSearchOff size={26} />}
        title={t("noMatch")}
        action={
          <Button variant="default" onClick={onClear}>
            {t("common:filter.clear")}
          </Button>
        }
      />
    );
  return (
    <EmptyState
      icon={<IconKey size={26} />}
      title={t(isAdmin ? "empty" : "emptyOwn")}
      action={
        <Button component={Link} to="/keys?import=open">
          {t("addKeys")}
        </Button>
      }
    >
      {t(isAdmin ? "emptyText" : "emptyOwnText")}
    </EmptyState>
  );
}
