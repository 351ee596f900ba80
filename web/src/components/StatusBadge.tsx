// How a key stands, or anything else with a few states: a word, a shape and a colour, so that no state is told by its colour alone.

import { IconBan, IconCircleCheck, IconCircleX, IconHourglass } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import classes from "./StatusBadge.module.css";

/** What a state means to an operator. */
export type Tone = "ok" | "warn" | "bad" | "off" | "info";

export const toneOfKey: Record<Schema<"Status">, Tone> = {
  active: "ok",
  cooling: "warn",
  invalid: "bad",
  disabled: "off",
};

const icons: Record<Tone, typeof IconBan> = {
  ok: IconCircleCheck,
  warn: IconHourglass,
  bad: IconCircleX,
  off: IconBan,
  info: IconCircleCheck,
};

/** A state of any kind. */
export function ToneBadge({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  const Icon = icons[tone];
  return (
    <span className={classes.badge} data-tone={tone} title={title}>
      <Icon size={13} stroke={2} aria-hidden />
      <span>{children}</span>
    </span>
  );
}

/** The state of a key. */
export function StatusBadge({ status, title }: { status: Schema<"Status">; title?: string }) {
  const { t } = useTranslation();
  return (
    <ToneBadge tone={toneOfKey[status]} title={title}>
      {t(`keyStatus.${status}`)}
    </ToneBadge>
  );
}
