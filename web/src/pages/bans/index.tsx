// Addresses that callers without a client key may not come from: who, why, until when; banned by hand, lifted.

import { Anchor, Button, Group } from "@mantine/core";
import { IconBan, IconSearchOff, IconShieldCheck } from "@tabler/icons-react";
import { Trans, useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useUrlState } from "@/app/urlState";
import { DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { useSelection } from "@/components/useSelection";
import { BanDialog } from "./BanDialog";
import { useBans } from "./bans";
import { useColumns } from "./columns";
import { LiftChosen } from "./LiftChosen";

const limits = <Anchor component={Link} to="/settings#section-ip_limits" underline="always" inherit />;

export default function BansPage() {
  const { t } = useTranslation("bans");
  const [url, setUrl] = useUrlState(["q", "sort", "ban"]);
  const { q, sort = "-created_at" } = url;
  const list = useBans({ q: q ?? "", sort });
  const selection = useSelection<string>({ q });
  const columns = useColumns();
  const add = (
    <Button leftSection={<IconBan size={16} />} onClick={() => setUrl({ ban: "open" })}>
      {t("ban")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} actions={add} />
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
          name="bans"
          columns={columns}
          list={list}
          rowId={({ network }) => network}
          rowName={({ network }) => network}
          sort={sort}
          onSort={(next) => setUrl({ sort: next === "-created_at" ? null : next })}
          selection={selection}
          bulkActions={<LiftChosen selection={selection} list={list} q={q} />}
          empty={
            q ? (
              <EmptyState
                icon={<IconSearchOff size={26} />}
                title={t("noMatch")}
                action={
                  <Button variant="default" onClick={() => setUrl({ q: null })}>
                    {t("common:filter.clear")}
                  </Button>
                }
              >
                {t("noMatchText")}
              </EmptyState>
            ) : (
              <EmptyState icon={<IconShieldCheck size={26} />} title={t("empty")} action={add}>
                <Trans t={t} i18nKey="emptyText" components={{ limits }} />
              </EmptyState>
            )
          }
        />
      </Panel>
      <BanDialog opened={url.ban === "open"} onClose={() => setUrl({ ban: null })} />
    </>
  );
}
