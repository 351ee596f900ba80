// What a client key has used: against its limits, over time, and of which models.

import { Anchor, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { type ChartPoint, useChart } from "@/api/figures";
import { useList } from "@/api/list";
import { RankList } from "@/components/charts/ShareBar";
import { TimeChart } from "@/components/charts/TimeChart";
import { Panel } from "@/components/Panel";
import { ErrorState, LoadingRows } from "@/components/states";
import { useFormat } from "@/format/format";
import type { Client } from "./clients";
import classes from "./clients.module.css";
import { limitsOf } from "./limits";
import { Meter } from "./Meter";

export function Usage({ of: client }: { of: Client }) {
  const { t } = useTranslation("clients");
  return (
    <Stack gap="md">
      <section aria-label={t("limits.title")}>
        <div className={classes.meters}>
          {limitsOf(client.usage).map((limit) => (
            <Meter key={limit.name} of={limit} />
          ))}
        </div>
      </section>
      <RequestChart key={client.id} clientId={client.id} />
      <TopModels clientId={client.id} />
    </Stack>
  );
}

const ranges = ["1h", "24h", "7d", "30d"] as const;
const metrics = ["requests", "failed"] as const;

function RequestChart({ clientId }: { clientId: number }) {
  const { t } = useTranslation("clients");
  const format = useFormat();
  const [range, setRange] = useState<string>("24h");
  const { points, stepSeconds, isPending, error, retry } = useChart(metrics, range, clientId);
  const shown = useMemo(() => points.map(goodAndBad), [points]);
  return (
    <TimeChart
      title={t("chart.title")}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t("common:range.label")}
          data={ranges.map((value) => ({ value, label: t(`common:range.${value}`) }))}
          value={range}
          onChange={setRange}
        />
      }
      points={shown}
      lines={[
        { name: "good", label: t("chart.good"), color: "var(--km-chart-1)" },
        { name: "bad", label: t("chart.failed"), color: "var(--km-chart-bad)" },
      ]}
      kind="bars"
      format={format.compact}
      stepSeconds={stepSeconds}
      isPending={isPending}
      error={error}
      onRetry={retry}
    />
  );
}

function goodAndBad({ time, requests, failed }: ChartPoint) {
  const bad = failed ?? 0;
  return { time, good: Math.max(0, (requests ?? 0) - bad), bad };
}

const lastRequests = 500;
const mostModels = 6;

function TopModels({ clientId }: { clientId: number }) {
  const { t } = useTranslation("clients");
  const format = useFormat();
  const { rows, error, isPending, refresh } = useList(
    "/api/request_logs",
    { client: clientId, limit: lastRequests },
    { refetchEvery: 10_000 },
  );
  const models = useMemo(() => countedByModel(rows), [rows]);
  if (error && rows.length === 0) return <ErrorState error={error} onRetry={refresh} />;
  if (isPending) return <LoadingRows count={3} height={24} />;
  const count = rows.length;
  return (
    <Panel title={t("models.title")}>
      {count === 0 ? (
        <Text size="sm" c="dimmed">
          {t("common:requests.none")}
        </Text>
      ) : (
        <>
          <Title order={3} size="xs" fw={400} c="dimmed">
            {t("models.of", { count, number: format.number(count) })}
          </Title>
          <RankList
            rows={models.slice(0, mostModels).map(({ name, value }) => ({
              name,
              value,
              label: (
                <Anchor
                  component={Link}
                  to={`/requests?${new URLSearchParams({ client: String(clientId), model: name })}`}
                  inherit
                  c="inherit"
                >
                  {name}
                </Anchor>
              ),
            }))}
            format={format.number}
          />
        </>
      )}
    </Panel>
  );
}

function countedByModel(requests: Schema<"RequestView">[]) {
  const counts = new Map<string, number>();
  for (const { model, endpoint } of requests) {
    const name = model ?? endpoint;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, value]) => ({ name, value })).sort((one, other) => other.value - one.value);
}
