// What is used of a limit: a bar, the figures, and when it is all there again.

import { useTranslation } from "react-i18next";
import { Countdown } from "@/components/Countdown";
import { useFormat } from "@/format/format";
import { type Limit, partOf } from "./limits";
import classes from "./Meter.module.css";

/** From this part on a limit is soon felt. */
const near = 0.8;

export function Meter({ of: limit, isShort }: { of: Limit; isShort?: boolean }) {
  const { t } = useTranslation("clients");
  const write = useAmount(limit);
  const part = partOf(limit);
  const name = t(`limits.${limit.name}`);
  const figures = part === undefined ? write(limit.used) : `${write(limit.used)} / ${write(limit.limit ?? 0)}`;
  const tone = part === undefined ? "none" : part >= 1 ? "bad" : part >= near ? "warn" : "ok";
  return (
    <div className={classes.meter} data-tone={tone} data-short={isShort || undefined}>
      <span className={classes.name}>{name}</span>
      <span className={classes.figures}>{figures}</span>
      {part !== undefined && (
        // biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> as each likes
        <div
          role="meter"
          aria-label={name}
          aria-valuemin={0}
          aria-valuemax={limit.limit}
          aria-valuenow={Math.min(limit.used, limit.limit ?? 0)}
          aria-valuetext={figures}
          className={classes.bar}
        >
          <span style={{ width: `${Math.min(100, part * 100)}%` }} />
        </div>
      )}
      {!isShort && <Note of={limit} isFull={tone === "bad"} />}
    </div>
  );
}

function Note({ of: { limit, used, resetsAt }, isFull }: { of: Limit; isFull: boolean }) {
  const { t } = useTranslation("clients");
  return (
    <span className={classes.note}>
      {limit === undefined ? t("limits.none") : isFull ? t("limits.reached") : null}
      {limit !== undefined && used > 0 && resetsAt && (
        <span>
          {t("limits.resets")} <Countdown to={resetsAt} />
        </span>
      )}
    </span>
  );
}

/** Amounts of a limit, in its unit. */
function useAmount({ name }: Limit): (value: number) => string {
  const format = useFormat();
  return name === "budget" ? format.usd : format.compact;
}
