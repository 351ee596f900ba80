// The list of proxies, with its search, and a filter by where they were found.

import { Button, Group } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { DataTable } from "@/components/DataTable";
import { type Filter, FilterBar } from "@/components/FilterBar";
import { Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { useColumns } from "./columns";
import { idOf, named, ofSource, useWays } from "./proxies";

type WaysProps = {
  /** The names of the lists that there are. */
  sources: string[];
  url: { [name in "q" | "source" | "proxy"]?: string | undefined };
  onUrl: (change: { [name in "q" | "source" | "proxy"]?: string | null }) => void;
};

export function Ways({ sources, url, onUrl }: WaysProps) {
  const { t } = useTranslation("proxies");
  const hasLists = sources.length > 0;
  const list = ofSource(useWays(url.q), url.source);
  const columns = useColumns(hasLists);
  const bySource: Filter = {
    name: "source",
    label: t("source"),
    kind: "choice",
    choices: [{ value: named, label: t("named") }, ...sources.map((name) => ({ value: name, label: name }))],
  };
  const search: Filter = { name: "q", label: t("search"), kind: "text", placeholder: t("searchHint") };
  return (
    <Panel isFlush>
      <Group px="md" py="xs">
        <FilterBar filters={hasLists ? [search, bySource] : [search]} values={url} onChange={onUrl} />
      </Group>
      <DataTable
        label={t("title")}
        name={hasLists ? "proxies-of-lists" : "proxies"}
        columns={columns}
        list={list}
        rowId={idOf}
        rowName={({ name }) => name}
        openId={url.proxy ?? null}
        onOpen={(way) => onUrl({ proxy: idOf(way) })}
        empty={
          <EmptyState
            icon={<IconSearchOff size={26} />}
            title={t("noMatch")}
            action={
              <Button variant="default" onClick={() => onUrl({ q: null, source: null })}>
                {t("common:filter.clear")}
              </Button>
            }
          />
        }
      />
    </Panel>
  );
}
