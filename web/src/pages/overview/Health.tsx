// One sentence: how it stands, and what to do when it does not stand well.

import { Anchor } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconInfoCircle, IconPlayerPause } from "@tabler/icons-react";
import { Trans, useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { PacificReset } from "@/components/Countdown";
import type { Tone } from "@/components/StatusBadge";
import { useFormat } from "@/format/format";
import { useIsAdmin } from "@/session/session";
import classes from "./overview.module.css";
import type { Now } from "./useNow";

type HealthProps = {
  status: Schema<"StatusView">;
  now: Now;
  /** When keymux was last heard of, if it does not answer now. */
  silentSince?: number | undefined;
};

const icons: Record<Tone, typeof IconCircleX> = {
  ok: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconCircleX,
  off: IconPlayerPause,
  info: IconInfoCircle,
};

export function Health({ status, now, silentSince }: HealthProps) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const isAdmin = useIsAdmin();
  const { tone, title, advice } =
    silentSince === undefined ? standing(status, now, isAdmin) : { tone: "bad" as const, ...silence };
  const Icon = icons[tone];
  return (
    <section className={classes.health} data-tone={tone} aria-label={t("health.label")}>
      <Icon size={26} stroke={1.8} aria-hidden />
      <div className={classes.healthText}>
        <strong>{t(`health.${title}`)}</strong>
        <span>
          {advice === "usable" ? (
            t("health.usable", {
              count: now.keys.active,
              active: format.number(now.keys.active),
              total: format.number(now.keys.total),
            })
          ) : (
            <Trans
              ns="overview"
              i18nKey={`health.${advice}`}
              values={{
                time: format.exactTime(silentSince ?? 0),
                failed: format.number(now.failedLastMinute ?? 0),
                total: format.number(now.lastMinute),
              }}
              components={{
                keys: <Anchor component={Link} to="/keys" inherit underline="always" />,
                requests: <Anchor component={Link} to="/requests?status=failed" inherit underline="always" />,
              }}
            />
          )}
        </span>
      </div>
      <dl className={classes.healthFacts}>
        <div>
          <dt>{t("health.reset")}</dt>
          <dd>
            <PacificReset />
          </dd>
        </div>
        <div>
          <dt>{t("health.uptime")}</dt>
          <dd>{format.duration(status.uptime_seconds * 1000)}</dd>
        </div>
        <div>
          <dt>{t("health.version")}</dt>
          <dd>{status.version}</dd>
        </div>
      </dl>
    </section>
  );
}

type Standing = { tone: Tone; title: string; advice: string };

const silence = { title: "silent", advice: "silentAdvice" };
/** Of fewer requests in a minute nothing is concluded. */
const enough = 10;

function standing(status: HealthProps["status"], now: Now, isAdmin: boolean): Standing {
  const { keys } = now;
  if (status.status === "draining") return { tone: "off", title: "draining", advice: "drainingAdvice" };
  if (status.status === "starting") return { tone: "off", title: "starting", advice: "startingAdvice" };
  if (status.database !== "up") return { tone: "bad", title: "noDatabase", advice: "noDatabaseAdvice" };
  // Members see their own keys only; without any, what they ask goes to the shared pool.
  if (keys.total === 0 && !isAdmin) return { tone: "info", title: "shared", advice: "sharedAdvice" };
  if (keys.total === 0) return { tone: "warn", title: "noKeys", advice: "noKeysAdvice" };
  if (keys.active === 0) return { tone: "bad", title: "noUsable", advice: keys.cooling > 0 ? "allCooling" : "allOut" };
  if (now.lastMinute >= enough && (now.failedLastMinute ?? 0) * 2 >= now.lastMinute)
    return { tone: "bad", title: "failing", advice: "failingAdvice" };
  if (keys.active * 4 < keys.total - keys.disabled) return { tone: "warn", title: "few", advice: "usable" };
  return { tone: "ok", title: "good", advice: "usable" };
}
