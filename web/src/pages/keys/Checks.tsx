// What the health checks of a key have found, with each model; and the same check now.

import { ActionIcon, Button, Group, Table, Text, Tooltip } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask, type Schema } from "@/api/client";
import { refreshLists } from "@/api/list";
import { Ago, Countdown } from "@/components/Countdown";
import { ToneBadge } from "@/components/StatusBadge";
import { useNotify } from "@/components/useNotify";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import classes from "./keys.module.css";

type Check = Schema<"LastCheck">;

export function Checks({ keyId, checks }: { keyId: number; checks: Check[] }) {
  const { t } = useTranslation("keys");
  const { checkNow, progress } = useCheckNow(keyId);
  if (checks.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("checks.none")}
      </Text>
    );
  return (
    <>
      <Group justify="space-between" mb={4}>
        <Text size="sm" c="dimmed" role="status">
          {progress ? t("checks.progress", progress) : t("checks.about")}
        </Text>
        <Button size="xs" variant="default" loading={progress !== null} onClick={() => void checkNow(checks)}>
          {t("checks.all")}
        </Button>
      </Group>
      <Table fz="sm" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("models.model")}</Table.Th>
            <Table.Th scope="col">{t("checks.result")}</Table.Th>
            <Table.Th scope="col">{t("checks.last")}</Table.Th>
            <Table.Th scope="col">{t("checks.next")}</Table.Th>
            <Table.Td />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {checks.map((check) => (
            <Row
              key={check.model ?? ""}
              check={check}
              isBusy={progress !== null}
              onCheck={() => void checkNow([check])}
            />
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

function Row({ check, isBusy, onCheck }: { check: Check; isBusy: boolean; onCheck: () => void }) {
  const { t } = useTranslation("keys");
  const name = check.model ?? t("checks.keyAlone");
  const label = t("checks.one", { model: name });
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500} className={classes.checked}>
        {name}
      </Table.Th>
      <Table.Td>
        <Result check={check} />
      </Table.Td>
      <Table.Td>{check.checked_at ? <Ago time={check.checked_at} /> : "–"}</Table.Td>
      <Table.Td>{check.next_at ? <Countdown to={check.next_at} /> : "–"}</Table.Td>
      <Table.Td ta="end">
        <Tooltip label={label}>
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onCheck} disabled={isBusy}>
            <IconPlayerPlay size={15} />
          </ActionIcon>
        </Tooltip>
      </Table.Td>
    </Table.Tr>
  );
}

function Result({ check: { works, status, class: kind, reason, latency_ms } }: { check: Check }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const inWords = useReason();
  if (works === null || works === undefined) return <ToneBadge tone="off">{t("checks.notYet")}</ToneBadge>;
  const byTraffic = reason === "traffic";
  const details = [
    !works && kind && inWords(kind),
    !works && (status ?? t("checks.noAnswer")),
    works && byTraffic && t("checks.byTraffic"),
    latency_ms != null && !byTraffic && format.latency(latency_ms),
  ];
  return (
    <>
      <ToneBadge tone={works ? "ok" : "bad"}>{t(works ? "checks.works" : "checks.fails")}</ToneBadge>
      <Text size="xs" c="dimmed">
        {details.filter(Boolean).join(" · ")}
      </Text>
    </>
  );
}

/** Checks one after the other, and tells how far it is. */
function useCheckNow(keyId: number) {
  const client = useQueryClient();
  const notify = useNotify();
  const [progress, setProgress] = useState<{ done: number; total: number } | null>(null);
  const checkNow = async (checks: Check[]) => {
    try {
      for (const [done, { model }] of checks.entries()) {
        setProgress({ done, total: checks.length });
        await ask(api.POST("/api/keys/{id}/test", { params: { path: { id: keyId } }, body: { model: model ?? null } }));
        await client.invalidateQueries({ queryKey: ["key", keyId] });
      }
    } catch (error) {
      notify.failed(error);
    } finally {
      setProgress(null);
      void refreshLists(client, "/api/keys");
    }
  };
  return { checkNow, progress };
}
