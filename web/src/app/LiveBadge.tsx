// Whether what is shown is live. While nobody watches anything there is nothing to say.

import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useLiveness } from "@/api/events";
import classes from "./LiveBadge.module.css";

export function LiveBadge() {
  const { t } = useTranslation();
  const state = useLiveness();
  if (state === "idle") return null;
  return (
    <Tooltip label={t(`live.${state}Hint`)}>
      <span className={classes.badge} data-state={state} role="status">
        <span className={classes.dot} aria-hidden />
        {t(`live.${state}`)}
      </span>
    </Tooltip>
  );
}
