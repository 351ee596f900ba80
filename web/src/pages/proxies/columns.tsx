// The columns of the list of proxies.

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Ago } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { ToneBadge } from "@/components/StatusBadge";
import { useFormat } from "@/format/format";
import { failureShare, isProxy, toneOf, type Way } from "./proxies";
import classes from "./proxies.module.css";
import { isSaid, Why } from "./Why";

/** `hasLists`: proxies may come from lists, so that it matters where each was found. */
export function useColumns(hasLists: boolean): Column<Way>[] {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  return useMemo(() => {
    const count = (value: number | null | undefined) => (value == null ? null : format.number(value));
    const source: Column<Way> = {
      id: "source",
      header: t("source"),
      width: 9,
      cell: (way) => (isProxy(way) ? (way.source ?? t("named")) : null),
    };
    return [
      {
        id: "name",
        header: t("proxy"),
        card: "title",
        cell: (way) => (isProxy(way) ? <code className={classes.name}>{way.name}</code> : <b>{t("direct")}</b>),
      },
      {
        id: "status",
        header: t("status"),
        width: 8,
        card: "aside",
        cell: ({ status }) => <ToneBadge tone={toneOf[status]}>{t(`state.${status}`)}</ToneBadge>,
      },
      { id: "why", header: t("reason"), width: 13.5, wide: 20, cell: (way) => (isSaid(way) ? <Why of={way} /> : null) },
      ...(hasLists ? [source] : []),
      {
        id: "since",
        header: t("since"),
        width: 7.5,
        isExtra: hasLists,
        cell: ({ since }) => (since ? <Ago time={since} /> : null),
      },
      { id: "attempts", header: t("attempts"), width: 6, align: "end", cell: ({ attempts }) => count(attempts) },
      {
        id: "failures",
        header: t("failures"),
        width: 6.5,
        align: "end",
        isExtra: true,
        cell: ({ failures }) => count(failures),
      },
      {
        id: "share",
        header: t("failed"),
        width: 5.5,
        align: "end",
        cell: (way) => {
          const share = failureShare(way);
          return share === null ? null : format.percent(share);
        },
      },
      {
        id: "latency",
        header: t("latency"),
        width: 6,
        align: "end",
        cell: ({ latency_ms }) => (latency_ms == null ? null : format.latency(latency_ms)),
      },
      {
        id: "checked",
        header: t("checked"),
        width: 7.5,
        isExtra: true,
        cell: ({ checked_at }) => (checked_at ? <Ago time={checked_at} /> : null),
      },
    ];
  }, [t, format, hasLists]);
}
