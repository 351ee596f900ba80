// Who uses it, and for what; what fails, and why. Each row leads to its requests.

import { Anchor, Text } from "@mantine/core";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { type GroupBy, totals, useSeries } from "@/api/figures";
import { RankList } from "@/components/charts/ShareBar";
import { Panel } from "@/components/Panel";
import { ErrorState, LoadingRows } from "@/components/states";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import { useIsAdmin } from "@/session/session";
import classes from "./overview.module.css";

const most = 7;

export const TopLists = memo(function TopLists({ range }: { range: string }) {
  const isAdmin = useIsAdmin();
  return (
    <div className={classes.thirds}>
      <TopList range={range} by="model" title="models" />
      <TopList range={range} by="client" title="clients" />
      {/* Members see what their own clients did, which is not kept by outcome. */}
      {isAdmin && <TopList range={range} by="outcome" title="errors" />}
    </div>
  );
});

type TopListProps = { range: string; by: GroupBy; title: "models" | "clients" | "errors" };

function TopList({ range, by, title }: TopListProps) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const series = useSeries("requests", range, by);
  const rows = totals(series.data)
    .filter(({ group }) => by !== "outcome" || group !== "ok")
    .slice(0, most);
  return (
    <Panel title={t(`top.${title}`)}>
      {series.error && !series.data ? (
        <ErrorState error={series.error} onRetry={() => void series.refetch()} />
      ) : !series.data ? (
        <LoadingRows count={5} height={24} />
      ) : rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t(`top.${title}Empty`)}
        </Text>
      ) : (
        <RankList
          rows={rows.map(({ group, total }) => ({
            name: group,
            value: total,
            label: <Row by={by} group={group} range={range} />,
          }))}
          format={format.compact}
        />
      )}
    </Panel>
  );
}

function Row({ by, group, range }: { by: GroupBy; group: string; range: string }) {
  const { t } = useTranslation("overview");
  const reason = useReason();
  const search = new URLSearchParams({ range, ...filterOf(by, group) });
  return (
    <Anchor component={Link} to={`/requests?${search}`} inherit c="inherit">
      {(by === "outcome" ? reason(group) : group.replace(/ \(\d+\)$/, "")) || t("top.modelless")}
    </Anchor>
  );
}

/** The filter of the request log that shows these requests. */
function filterOf(by: GroupBy, group: string): Record<string, string> {
  if (by === "model") {
    const [provider, ...model] = group.split("/");
    return { provider: provider ?? "", model: model.join("/") };
  }
  const id = group.match(/\((\d+)\)$/)?.[1];
  if (by === "client") return id ? { client: id } : {};
  return { failed: "true", q: group };
}
