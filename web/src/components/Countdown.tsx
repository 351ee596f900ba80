// The time until something ends, ticking; the instant itself, in the viewer's zone, on demand.

import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useNow } from "@/format/clock";
import { type Instant, useFormat } from "@/format/format";
import { nextPacificMidnight } from "@/format/pacific";
import classes from "./numbers.module.css";

export function Countdown({ to, className }: { to: Instant; className?: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const end = new Date(to).getTime();
  const left = end - useNow();
  return (
    <Tooltip label={format.dateTime(end)}>
      <time className={`${classes.number} ${className ?? ""}`} dateTime={new Date(end).toISOString()}>
        {left > 0 ? format.duration(left) : t("time.now")}
      </time>
    </Tooltip>
  );
}

/** When daily quotas of Google's come back: midnight in Los Angeles, in the viewer's time. */
export function PacificReset() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const reset = nextPacificMidnight(now);
  return (
    <Tooltip label={t("time.pacificReset")}>
      <time dateTime={new Date(reset).toISOString()}>
        {t("time.inAt", { duration: format.duration(reset - now), time: format.time(reset) })}
      </time>
    </Tooltip>
  );
}

/** How long ago something was. */
export function Ago({ time }: { time: Instant }) {
  const format = useFormat();
  const now = useNow(1000);
  return (
    <Tooltip label={format.dateTime(time)}>
      <time className={classes.number} dateTime={new Date(time).toISOString()}>
        {format.relative(time, now)}
      </time>
    </Tooltip>
  );
}
