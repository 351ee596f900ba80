// Each attempt in words: with which key, by which way, what came back, why this key, and why there was another try.

import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { KeyLink } from "@/components/KeyLink";
import { ToneBadge } from "@/components/StatusBadge";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import type { Attempt, Detail } from "./requests";
import classes from "./requests.module.css";
import { useWhyThisKey } from "./useVerdict";

export function isGood({ class: name }: Attempt): boolean {
  return name === "ok" || name === "blocked";
}

export function Attempts({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const { attempt_list: attempts } = request;
  if (attempts.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("attempt.none")}
      </Text>
    );
  return (
    <ol className={classes.attempts} aria-label={t("attempts")}>
      {attempts.map((attempt, index) => (
        <OneAttempt key={attempt.number} of={attempt} before={attempts[index - 1]} request={request} />
      ))}
    </ol>
  );
}

type OneAttemptProps = { of: Attempt; before: Attempt | undefined; request: Detail };

function OneAttempt({ of: attempt, before, request }: OneAttemptProps) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const reason = useReason();
  const whyThisKey = useWhyThisKey();
  const isElsewhere = attempt.provider !== request.provider || attempt.model !== request.model;
  return (
    <li className={classes.attempt}>
      <div className={classes.attemptHead}>
        <strong>{attempt.number}</strong>
        <ToneBadge tone={isGood(attempt) ? "ok" : "bad"}>{attempt.status ?? t("attempt.noAnswer")}</ToneBadge>
        <span>{attempt.class === "ok" ? t("attempt.ok") : reason(attempt.class)}</span>
        {attempt.class !== "ok" && attempt.reason !== attempt.class && (
          <code className={classes.why}>{attempt.reason}</code>
        )}
        <span>{format.latency(attempt.latency_ms)}</span>
      </div>
      <div>
        {isElsewhere && `${attempt.provider}/${attempt.model} · `}
        <AttemptKey of={attempt} /> · {attempt.egress === "direct" ? t("attempt.direct") : attempt.egress}
      </div>
      <div className={classes.why}>{t("attempt.whyThisKey", { why: whyThisKey(attempt) })}</div>
      {before && (
        <div className={classes.why}>
          {t("attempt.whyAgain", { attempt: before.number, reason: reason(before.class) })}
        </div>
      )}
    </li>
  );
}

function AttemptKey({ of: { key, key_id } }: { of: Attempt }) {
  const { t } = useTranslation("requests");
  return key_id ? <KeyLink id={key_id} name={key} /> : t("attempt.ownKey");
}
