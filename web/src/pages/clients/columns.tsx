// The columns of the list of client keys.

import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Ago } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { useFormat } from "@/format/format";
import { useIsAdmin } from "@/session/session";
import type { Client } from "./clients";
import classes from "./clients.module.css";
import { tightest } from "./limits";
import { Meter } from "./Meter";
import { State } from "./State";

export function useColumns(): Column<Client>[] {
  const { t } = useTranslation("clients");
  const format = useFormat();
  const isAdmin = useIsAdmin();
  return useMemo(() => {
    const owner: Column<Client> = {
      id: "owner",
      header: t("owner"),
      width: 5.5,
      cell: (client) => client.owner ?? <Dimmed>{t("nobody")}</Dimmed>,
    };
    return [
      { id: "name", header: t("name"), sort: "name", card: "title", cell: (client) => <Name of={client} /> },
      { id: "state", header: t("state"), width: 6.5, card: "aside", cell: (client) => <State of={client} /> },
      { id: "usage", header: t("usage"), width: 10.5, wide: 15, cell: (client) => <Tightest of={client} /> },
      {
        id: "requests",
        header: t("requestsToday"),
        align: "end",
        width: 7,
        cell: (client) => format.compact(client.usage.rpd.used),
      },
      {
        id: "tokens",
        header: t("tokensToday"),
        align: "end",
        width: 6.5,
        cell: (client) => format.compact(client.usage.tpd.used),
      },
      {
        id: "spent",
        header: t("spent"),
        align: "end",
        width: 6,
        cell: (client) => format.usd(client.usage.budget.spent_usd),
      },
      ...(isAdmin ? [owner] : []),
      {
        id: "expires",
        header: t("expires"),
        width: 6,
        cell: (client) => (client.expires_at ? <Ago time={client.expires_at} /> : <Dimmed>{t("form.never")}</Dimmed>),
      },
      {
        id: "source",
        header: t("source"),
        width: 9,
        isExtra: true,
        cell: (client) => t(`sources.${client.source}`),
      },
      {
        id: "created",
        header: t("created"),
        sort: "created_at",
        width: 7,
        isExtra: true,
        cell: (client) => <Ago time={client.created_at} />,
      },
    ];
  }, [t, format, isAdmin]);
}

function Name({ of: client }: { of: Client }) {
  return (
    <span className={classes.name}>
      <span className={classes.label}>{client.name}</span>
      <code className={classes.masked}>{client.masked_key}</code>
    </span>
  );
}

/** The limit that will be felt first. */
function Tightest({ of: client }: { of: Client }) {
  const { t } = useTranslation("clients");
  const limit = tightest(client.usage);
  return limit ? <Meter of={limit} isShort /> : <Dimmed>{t("limits.none")}</Dimmed>;
}

function Dimmed({ children }: { children: string }) {
  return (
    <Text span size="sm" c="dimmed">
      {children}
    </Text>
  );
}
