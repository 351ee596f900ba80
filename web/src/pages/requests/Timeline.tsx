// The attempts of a request on one time axis. The picture says nothing that Attempts does not say in words below it.

import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/format";
import { isGood } from "./Attempts";
import type { Detail } from "./requests";
import classes from "./requests.module.css";
import { spansOf } from "./spans";

const percent = (part: number) => `${(100 * Math.max(0, part)).toFixed(2)}%`;

export function Timeline({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const spans = spansOf(request);
  const hasRest = (spans.at(-1)?.rest ?? 0) > 0.005;
  return (
    <div className={classes.timeline} aria-hidden>
      {request.attempt_list.map((attempt, index) => {
        const span = spans[index];
        if (!span) return null;
        return (
          <div key={attempt.number} className={classes.lane}>
            <span>{attempt.number}</span>
            <div className={classes.track}>
              <div style={{ width: percent(span.before) }} />
              <div
                className={classes.bar}
                data-tone={isGood(attempt) ? "ok" : "bad"}
                style={{ width: percent(span.own) }}
              />
              {span.rest > 0 && <div className={classes.bar} data-tone="rest" style={{ width: percent(span.rest) }} />}
            </div>
            <span>{format.latency(attempt.latency_ms)}</span>
          </div>
        );
      })}
      <Text className={classes.axis} size="xs" component="div">
        <span>0</span>
        <span>
          {hasRest && `${t(request.error ? "timeline.waiting" : "timeline.rest")} · `}
          {format.latency(request.latency_ms)}
        </span>
      </Text>
    </div>
  );
}
