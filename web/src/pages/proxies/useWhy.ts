// Why a proxy failed, or a check of it, in words; what is not the proxy's alone is said as everywhere else.

import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useReason } from "@/components/useReason";

export function useWhy(): (reason: string) => string {
  const { t, i18n } = useTranslation("proxies");
  const common = useReason();
  return useCallback(
    (reason) => (i18n.exists(`proxies:why.${reason}`) ? t(`why.${reason}`) : common(reason)),
    [t, i18n, common],
  );
}
