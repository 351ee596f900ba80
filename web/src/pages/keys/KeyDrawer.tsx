// One key: how it stands and for which models, what was done to it, what it answered, how it leaves.

import { Group, Stack, Table, Tabs, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import { Ago, Countdown } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { History } from "@/components/History";
import { RecentRequests } from "@/components/RecentRequests";
import { Secret } from "@/components/Secret";
import { StatusBadge } from "@/components/StatusBadge";
import { ErrorState, LoadingRows } from "@/components/states";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import { useIsAdmin } from "@/session/session";
import { Checks } from "./Checks";
import { EditKey } from "./EditKey";
import { KeyActions } from "./KeyActions";
import { nameOf, reveal, useKey } from "./keys";
import classes from "./keys.module.css";

type Standing = Schema<"KeyStanding">;

export function KeyDrawer({ id, onClose }: { id: number | null; onClose: () => void }) {
  const { t } = useTranslation("keys");
  const { data: key, error, refetch } = useKey(id);
  const title = key ? nameOf(key) : t("key");
  return (
    <DetailDrawer opened={id !== null} onClose={onClose} title={title}>
      {error && !key ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : key ? (
        <Detail of={key} onDeleted={onClose} />
      ) : (
        <LoadingRows />
      )}
    </DetailDrawer>
  );
}

function Detail({ of: key, onDeleted }: { of: Standing; onDeleted: () => void }) {
  const { t } = useTranslation("keys");
  return (
    <Stack gap="lg">
      <Summary of={key} />
      <KeyActions of={key} onDeleted={onDeleted} />
      <Tabs defaultValue="models" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="models">{t("tabs.models")}</Tabs.Tab>
          <Tabs.Tab value="checks">{t("tabs.checks")}</Tabs.Tab>
          <Tabs.Tab value="requests">{t("tabs.requests")}</Tabs.Tab>
          <Tabs.Tab value="history">{t("tabs.history")}</Tabs.Tab>
          <Tabs.Tab value="edit">{t("tabs.edit")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="models" pt="sm">
          <Models models={key.models} />
        </Tabs.Panel>
        <Tabs.Panel value="checks" pt="sm">
          <Checks keyId={key.id} checks={key.checks} />
        </Tabs.Panel>
        <Tabs.Panel value="requests" pt="sm">
          <RecentRequests of={{ key: key.id }} />
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="sm">
          <History of={{ resource: "keys", resource_id: String(key.id) }} />
        </Tabs.Panel>
        <Tabs.Panel value="edit" pt="sm">
          <EditKey key={key.id} of={key} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Summary({ of: key }: { of: Standing }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const isAdmin = useIsAdmin();
  const reason = useReason();
  const facts: [string, React.ReactNode][] = [
    [t("provider"), key.provider],
    [t("project"), key.project ?? t("ownProject")],
    [t("egress"), key.egress ?? t("egressPool")],
    [t("latency"), key.latency_ms ? format.latency(key.latency_ms) : "–"],
    [t("inFlight"), format.number(key.in_flight)],
    [t("failures"), format.number(key.failures)],
    [t("weight"), format.number(key.weight)],
    [t("priority"), format.number(key.priority)],
    [t("source"), t(`sources.${key.source}`)],
    [t("owner"), key.owner ?? t("pool")],
    [t("created"), <Ago key="created" time={key.created_at} />],
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Secret masked={key.masked_key} reveal={isAdmin ? () => reveal(key.id) : undefined} />
        <StatusBadge status={key.status} />
      </Group>
      {key.reason && (
        <Text size="sm">
          {reason(key.reason)}
          {key.cooling_until && (
            <>
              {" · "}
              {t("backIn")} <Countdown to={key.cooling_until} className={classes.until} />
            </>
          )}
          {key.invalid_since && (
            <>
              {" · "}
              {t("since")} <Ago time={key.invalid_since} />
            </>
          )}
        </Text>
      )}
      <Facts facts={facts} />
    </Stack>
  );
}

function Models({ models }: { models: Standing["models"] }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const reason = useReason();
  if (models.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("models.none")}
      </Text>
    );
  return (
    <>
      <Title order={3} mb={4}>
        {t("models.title")}
      </Title>
      <Table fz="sm" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("models.model")}</Table.Th>
            <Table.Th scope="col">{t("status")}</Table.Th>
            <Table.Th scope="col" ta="end">
              {t("models.today")}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map((model) => (
            <Table.Tr key={model.model}>
              <Table.Th scope="row" fw={500}>
                {model.model}
              </Table.Th>
              <Table.Td>
                <Group gap={6}>
                  <StatusBadge
                    status={model.cooling_until ? "cooling" : "active"}
                    title={model.reason ? reason(model.reason) : undefined}
                  />
                  {model.cooling_until && <Countdown to={model.cooling_until} />}
                </Group>
                {model.reason && (
                  <Text size="xs" c="dimmed">
                    {reason(model.reason)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="end">{format.number(model.requests_today)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}
