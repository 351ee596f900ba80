// How a client key stands, in a word.

import { useTranslation } from "react-i18next";
import { ToneBadge } from "@/components/StatusBadge";
import { useNow } from "@/format/clock";
import { type Client, stateOf, toneOf } from "./clients";

export function State({ of: client }: { of: Client }) {
  const { t } = useTranslation("clients");
  const state = stateOf(client, useNow(10_000));
  return <ToneBadge tone={toneOf[state]}>{t(`states.${state}`)}</ToneBadge>;
}
