// The last requests of a key or a client key.

import { Anchor, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useList } from "@/api/list";
import { useFormat } from "@/format/format";
import { Ago } from "./Countdown";
import classes from "./Feed.module.css";
import { ToneBadge } from "./StatusBadge";
import { ErrorState, LoadingRows } from "./states";
import { useReason } from "./useReason";

/** Those of one key, or of one client key, by its id. */
export function RecentRequests({ of }: { of: { key: number } | { client: number } }) {
  const { t } = useTranslation();
  const format = useFormat();
  const reason = useReason();
  const list = useList("/api/request_logs", { ...of, limit: 15 }, { refetchEvery: 10_000 });
  if (list.error) return <ErrorState error={list.error} onRetry={list.refresh} />;
  if (list.isPending) return <LoadingRows count={4} height={26} />;
  if (list.rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("requests.none")}
      </Text>
    );
  return (
    <>
      <ul className={classes.feed}>
        {list.rows.map((request) => (
          <li key={request.id}>
            <span>
              <ToneBadge tone={request.error ? "bad" : "ok"}>{request.status}</ToneBadge>{" "}
              <Anchor component={Link} to={`/requests?request=${request.id}`} inherit>
                {request.model ?? request.endpoint}
              </Anchor>
            </span>
            <Ago time={request.time} />
            <span className={classes.detail}>
              {[
                request.client ?? t("requests.anonymous"),
                format.latency(request.latency_ms),
                request.error && reason(request.error),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ul>
      <Anchor
        component={Link}
        to={`/requests?${new URLSearchParams(Object.entries(of).map(([name, id]) => [name, String(id)]))}`}
        size="sm"
      >
        {t("requests.all")}
      </Anchor>
    </>
  );
}
