// Why a key, a model or a request failed, in words; a reason that there are no words for is shown as it is.

import { useCallback } from "react";
import { useTranslation } from "react-i18next";

export function useReason(): (reason: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (reason) => (i18n.exists(`reasons.${reason}`) ? t(`reasons.${reason}`) : reason.replaceAll("_", " ")),
    [t, i18n],
  );
}
