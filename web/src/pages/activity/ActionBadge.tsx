// What was done, in a word.

import { useTranslation } from "react-i18next";
import { ToneBadge } from "@/components/StatusBadge";
import { toneOf } from "./activity";

export function ActionBadge({ action }: { action: string }) {
  const { t } = useTranslation();
  return <ToneBadge tone={toneOf(action)}>{t(`common:actions.${action}`, { defaultValue: action })}</ToneBadge>;
}
