// The columns of the list of resources.

import { Button, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Ago, Countdown } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { useIsAdmin } from "@/session/session";
import type { Resource } from "./resources";
import classes from "./resources.module.css";

export function useColumns(onForget: (resource: Resource) => void): Column<Resource>[] {
  const { t } = useTranslation("resources");
  const isAdmin = useIsAdmin();
  return useMemo(() => {
    const forget: Column<Resource> = {
      id: "forget",
      header: t("action"),
      width: 7,
      card: "aside",
      cell: (resource) => (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => onForget(resource)}
          aria-label={t("forgetOne", { name: resource.name })}
        >
          {t("forget")}
        </Button>
      ),
    };
    return [
      { id: "name", header: t("name"), card: "title", cell: ({ name }) => <Code text={name} /> },
      {
        id: "kind",
        header: t("kind"),
        width: 10,
        cell: ({ collection }) => t(`kinds.${collection}`, { defaultValue: collection }),
      },
      { id: "client", header: t("client"), width: 8, cell: (resource) => <Maker of={resource} /> },
      { id: "owner", header: t("owner"), width: 8, isExtra: true, cell: ({ owner }) => owner ?? null },
      { id: "project", header: t("project"), width: 9, cell: ({ project }) => <Code text={project} /> },
      { id: "provider", header: t("provider"), width: 7, isExtra: true, cell: ({ provider }) => provider },
      { id: "made", header: t("made"), width: 6.5, cell: ({ created_at }) => <Ago time={created_at} /> },
      {
        id: "expires",
        header: t("expires"),
        width: 7,
        cell: ({ expires_at }) => (expires_at ? <Countdown to={expires_at} /> : <Dimmed>{t("unknown")}</Dimmed>),
      },
      ...(isAdmin ? [forget] : []),
    ];
  }, [t, isAdmin, onForget]);
}

function Code({ text }: { text: string }) {
  return (
    <code className={classes.code} title={text}>
      {text}
    </code>
  );
}

/** The client key that made it, which may be gone by now. */
function Maker({ of: { client, client_id } }: { of: Resource }) {
  const { t } = useTranslation("resources");
  if (client) return client;
  return <Dimmed>{client_id ? t("goneClient", { id: client_id }) : t("common:requests.anonymous")}</Dimmed>;
}

function Dimmed({ children }: { children: string }) {
  return (
    <Text span size="sm" c="dimmed">
      {children}
    </Text>
  );
}
