// The columns of the request log.

import { Text, Tooltip } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Column } from "@/components/DataTable";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import { Outcome } from "./Outcome";
import type { Request } from "./requests";
import classes from "./requests.module.css";

export function useColumns(): Column<Request>[] {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const reason = useReason();
  return useMemo(
    () => [
      { id: "time", header: t("time"), width: 6, cell: ({ time }) => <When time={time} /> },
      {
        id: "status",
        header: t("status"),
        width: 5.25,
        card: "aside",
        cell: (request) => <Outcome of={request} />,
      },
      { id: "model", header: t("model"), card: "title", cell: ({ model, endpoint }) => model ?? endpoint },
      {
        id: "why",
        header: t("why"),
        width: 8,
        wide: 12,
        cell: ({ error }) => (error ? <span title={error}>{reason(error)}</span> : null),
      },
      { id: "client", header: t("client"), width: 6.5, wide: 11, cell: (request) => <Caller of={request} /> },
      {
        id: "key",
        header: t("key"),
        width: 6.5,
        wide: 11,
        cell: ({ key, key_id }) => key ?? (key_id ? `#${key_id}` : null),
      },
      {
        id: "attempts",
        header: t("attempts"),
        align: "end",
        width: 5,
        cell: ({ attempts }) => <span className={attempts > 1 ? classes.again : undefined}>{attempts}</span>,
      },
      {
        id: "latency",
        header: t("latency"),
        align: "end",
        width: 5,
        cell: ({ latency_ms }) => format.latency(latency_ms),
      },
      {
        id: "firstByte",
        header: t("firstByte"),
        align: "end",
        width: 7,
        isExtra: true,
        cell: ({ first_byte_ms }) => (first_byte_ms ? format.latency(first_byte_ms) : null),
      },
      {
        id: "tokens",
        header: t("tokens"),
        align: "end",
        width: 5.75,
        cell: ({ tokens }) => (tokens ? format.compact(tokens.total) : null),
      },
      {
        id: "cost",
        header: t("cost"),
        align: "end",
        width: 5.75,
        isExtra: true,
        cell: ({ cost_usd }) => (cost_usd ? format.usd(cost_usd) : null),
      },
      { id: "provider", header: t("provider"), width: 7, isExtra: true, cell: ({ provider }) => provider ?? null },
      { id: "dialect", header: t("dialect"), width: 6, isExtra: true, cell: ({ dialect }) => dialect },
      { id: "endpoint", header: t("endpoint"), width: 11, isExtra: true, cell: ({ endpoint }) => endpoint },
    ],
    [t, format, reason],
  );
}

const recent = 12 * 3_600_000;

/** To the second where that tells requests apart; the day where it is another. */
function When({ time }: { time: string }) {
  const format = useFormat();
  const isRecent = Date.now() - new Date(time).getTime() < recent;
  return (
    <Tooltip label={format.dateTime(time)}>
      <time className={classes.number} dateTime={time}>
        {isRecent ? format.exactTime(time) : format.dayAndTime(time)}
      </time>
    </Tooltip>
  );
}

function Caller({ of: { client, client_id } }: { of: Request }) {
  const { t } = useTranslation("requests");
  if (client) return client;
  return (
    <Text span inherit c="dimmed">
      {client_id ? `#${client_id}` : t("anonymous")}
    </Text>
  );
}
