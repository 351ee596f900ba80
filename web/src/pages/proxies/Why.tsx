// What a way failed for, and when it is tried again.

import { Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Countdown } from "@/components/Countdown";
import { useNow } from "@/format/clock";
import type { Instant } from "@/format/format";
import { isProxy, type Way } from "./proxies";
import classes from "./proxies.module.css";
import { useWhy } from "./useWhy";

/** A check that came to nothing may be the provider's fault: then the proxy stands as before, and that is said. */
function reasonOf({ reason, check_reason }: Way): string | null | undefined {
  return reason ?? check_reason;
}

/** Whether there is anything to say of a way. */
export function isSaid(way: Way): boolean {
  return !isProxy(way) || Boolean(reasonOf(way));
}

export function Why({ of: way }: { of: Way }) {
  const { t } = useTranslation("proxies");
  const why = useWhy();
  if (!isProxy(way)) {
    const isOff = way.status === "off";
    return (
      <Text size="sm" c="dimmed" span>
        {t(isOff ? "directly.off" : "directly.on")}
      </Text>
    );
  }
  const reason = reasonOf(way);
  if (!reason) return null;
  return (
    <Group gap={6} wrap="nowrap">
      <span className={classes.why} title={why(reason)}>
        {why(reason)}
      </span>
      {way.retry_at && <Again at={way.retry_at} />}
    </Group>
  );
}

/** When it is tried again: once its time is over, a request or a check has to come by. */
function Again({ at }: { at: Instant }) {
  const { t } = useTranslation("proxies");
  const isOver = new Date(at).getTime() <= useNow();
  return (
    <span className={classes.retry}>
      {isOver ? (
        t("againNext")
      ) : (
        <>
          {t("again")} <Countdown to={at} />
        </>
      )}
    </span>
  );
}
