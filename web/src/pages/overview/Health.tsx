// One sentence: how it stands, and what to do when it does not stand well.

import { Anchor } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconPlayerPause } from "@tabler/icons-react";
import { Trans, useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { PacificReset } from "@/components/Countdown";
import type { Tone } from "@/components/StatusBadge";
import { useFormat } from "@/format/format";
import classes from "./overview.module.css";

type HealthProps = { status: Schema<"StatusView">; keys: Schema<"KeyCounts"> };

const icons: Record<Tone, typeof IconCircleX> = {
  ok: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconCircleX,
  off: IconPlayerPause,
  info: IconPlayerPause,
};

export function Health({ status, keys }: HealthProps) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { tone, title, advice } = standing(status, keys);
  const Icon = icons[tone];
  return (
    <section className={classes.health} data-tone={tone} aria-label={t("health.label")}>
      <Icon size={26} stroke={1.8} aria-hidden />
      <div className={classes.healthText}>
        <strong>{t(`health.${title}`)}</strong>
        <span>
          {advice === "usable" ? (
            t("health.usable", {
              count: keys.active,
              active: format.number(keys.active),
              total: format.number(keys.total),
            })
          ) : (
            <Trans
              ns="overview"
              i18nKey={`health.${advice}`}
              components={{ keys: <Anchor component={Link} to="/keys" inherit underline="always" /> }}
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

function standing(status: HealthProps["status"], keys: HealthProps["keys"]): Standing {
  if (status.status === "draining") return { tone: "off", title: "draining", advice: "drainingAdvice" };
  if (status.status === "starting") return { tone: "off", title: "starting", advice: "startingAdvice" };
  if (status.database !== "up") return { tone: "bad", title: "noDatabase", advice: "noDatabaseAdvice" };
  if (keys.total === 0) return { tone: "warn", title: "noKeys", advice: "noKeysAdvice" };
  if (keys.active === 0) return { tone: "bad", title: "noUsable", advice: keys.cooling > 0 ? "allCooling" : "allOut" };
  if (keys.active * 4 < keys.total - keys.disabled) return { tone: "warn", title: "few", advice: "usable" };
  return { tone: "ok", title: "good", advice: "usable" };
}
