// How the proxies stand, all together.

import { useTranslation } from "react-i18next";
import type { List } from "@/api/list";
import { StatCard, StatCards } from "@/components/StatCard";
import { useFormat } from "@/format/format";
import { failureShare, isProxy, type Status, type Way } from "./proxies";

export function Summary({ list }: { list: List<Way> }) {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  const proxies = list.rows.filter(isProxy);
  const isOff = list.rows.some((way) => !isProxy(way) && way.status === "off");
  const having = (status: Status) => proxies.filter((way) => way.status === status).length;
  const sum = (of: (way: Way) => number | null | undefined) => proxies.reduce((all, way) => all + (of(way) ?? 0), 0);
  const attempts = sum((way) => way.attempts);
  const share = failureShare({ attempts, failures: sum((way) => way.failures) });
  const [healthy, untested, failed] = [having("healthy"), having("untested"), having("failed")];
  // Of a very long list the first part is counted, and that is said.
  const part = list.hasMore ? t("ofFirst", { number: format.number(proxies.length) }) : undefined;
  return (
    <StatCards>
      <StatCard
        label={t("state.healthy")}
        value={format.number(healthy)}
        detail={part ?? t("ofAll", { number: format.number(proxies.length) })}
        tone={healthy > 0 ? "ok" : proxies.length > untested ? "bad" : "off"}
      />
      <StatCard label={t("state.untested")} value={format.number(untested)} detail={part ?? t("untestedHint")} />
      <StatCard
        label={t("state.failed")}
        value={format.number(failed)}
        detail={part ?? t("failedHint")}
        {...(failed > 0 ? { tone: "bad" as const } : {})}
      />
      <StatCard
        label={t("failureShare")}
        value={share === null ? "–" : format.percent(share)}
        detail={t("ofAttempts", { count: attempts, number: format.number(attempts) })}
      />
      <StatCard
        label={t("direct")}
        value={t(isOff ? "off" : "on")}
        detail={t(isOff ? "directly.off" : "directly.on")}
      />
    </StatCards>
  );
}
