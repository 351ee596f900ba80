// One client key: how it stands, what it has used of what it may, who called with it, and how it is called with.

import { Code, Group, Stack, Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useList } from "@/api/list";
import { Ago } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { History } from "@/components/History";
import { RecentRequests } from "@/components/RecentRequests";
import { ErrorState, LoadingRows } from "@/components/states";
import { CallExample } from "./CallExample";
import { ClientActions } from "./ClientActions";
import { type Client, useClient } from "./clients";
import { EditClient } from "./EditClient";
import { State } from "./State";
import { Usage } from "./Usage";

type ClientDrawerProps = { id: number | null; onClose: () => void; onCopy: (id: number) => void };

export function ClientDrawer({ id, onClose, onCopy }: ClientDrawerProps) {
  const { t } = useTranslation("clients");
  const { data: client, error, refetch } = useClient(id);
  return (
    <DetailDrawer opened={id !== null} onClose={onClose} size="xl" title={client?.name ?? t("client")}>
      {error && !client ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : client ? (
        <Detail of={client} onClose={onClose} onCopy={() => onCopy(client.id)} />
      ) : (
        <LoadingRows />
      )}
    </DetailDrawer>
  );
}

function Detail({ of: client, onClose, onCopy }: { of: Client; onClose: () => void; onCopy: () => void }) {
  const { t } = useTranslation("clients");
  const panels: [name: string, content: ReactNode][] = [
    ["usage", <Usage key="usage" of={client} />],
    ["requests", <RecentRequests key="requests" of={{ client: client.id }} />],
    ["call", <CallExample key="call" of={client} />],
    ["history", <History key="history" of={{ resource: "allowed_keys", resource_id: String(client.id) }} />],
    ["edit", <EditClient key={client.id} of={client} />],
  ];
  return (
    <Stack gap="lg">
      <Summary of={client} />
      <ClientActions of={client} onDeleted={onClose} onCopy={onCopy} />
      <Tabs defaultValue="usage" keepMounted={false}>
        <Tabs.List>
          {panels.map(([name]) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tabs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {panels.map(([name, content]) => (
          <Tabs.Panel key={name} value={name} pt="sm">
            {content}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Stack>
  );
}

function Summary({ of: client }: { of: Client }) {
  const { t } = useTranslation("clients");
  const lists = (["allowed_providers", "allowed_models", "allowed_endpoints", "allowed_ips"] as const).filter(
    (name) => client[name].length > 0,
  );
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Code>{client.masked_key}</Code>
        <State of={client} />
      </Group>
      <Facts
        facts={[
          [t("lastUsed"), <LastUsed key="used" clientId={client.id} />],
          [t("owner"), client.owner ?? t("nobody")],
          [t("expires"), client.expires_at ? <Ago key="end" time={client.expires_at} /> : t("form.never")],
          [t("created"), <Ago key="created" time={client.created_at} />],
          [t("source"), t(`sources.${client.source}`)],
          ...lists.map((name): [string, ReactNode] => [t(`lists.${name}`), client[name].join(", ")]),
        ]}
      />
    </Stack>
  );
}

/** When the last request came with it, as far as the request log goes back. */
function LastUsed({ clientId }: { clientId: number }) {
  const { t } = useTranslation("clients");
  const list = useList("/api/request_logs", { client: clientId, limit: 1 }, { refetchEvery: 15_000 });
  const [last] = list.rows;
  return last ? <Ago time={last.time} /> : list.isPending ? "…" : t("notYet");
}
