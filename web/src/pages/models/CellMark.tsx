// A state in a cell: a shape of its own, and the word or the time that is left.

import { IconBan, IconCircleCheck, IconCircleX, IconHourglass, IconLock, IconUnlink } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Countdown } from "@/components/Countdown";
import type { Tone } from "@/components/StatusBadge";
import { useFormat } from "@/format/format";
import type { Cell, CellState } from "./models";
import classes from "./models.module.css";

export const looks: { [state in CellState]: { tone: Tone; icon: typeof IconBan } } = {
  usable: { tone: "ok", icon: IconCircleCheck },
  cooling: { tone: "warn", icon: IconHourglass },
  keyCooling: { tone: "warn", icon: IconHourglass },
  locked: { tone: "warn", icon: IconLock },
  unavailable: { tone: "off", icon: IconUnlink },
  invalid: { tone: "bad", icon: IconCircleX },
  disabled: { tone: "off", icon: IconBan },
};

export function CellMark({ cell }: { cell: Cell }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { tone, icon: Icon } = looks[cell.state];
  const isCounting = cell.until !== undefined && cell.state !== "unavailable";
  return (
    <span className={classes.mark} data-tone={tone}>
      <Icon size={14} stroke={2} aria-hidden />
      {isCounting && cell.until ? (
        <Countdown to={cell.until} />
      ) : cell.state === "usable" ? (
        cell.requestsToday > 0 && <span>{format.compact(cell.requestsToday)}</span>
      ) : (
        <span>{t(`state.${cell.state}`)}</span>
      )}
    </span>
  );
}

const told: CellState[] = ["usable", "cooling", "locked", "unavailable", "invalid", "disabled"];

/** What the shapes mean. */
export function Legend() {
  const { t } = useTranslation("models");
  return (
    <ul className={classes.legend} aria-label={t("legend")}>
      {told.map((state) => {
        const { tone, icon: Icon } = looks[state];
        return (
          <li key={state} className={classes.mark} data-tone={tone}>
            <Icon size={14} stroke={2} aria-hidden />
            {t(`state.${state}`)}
          </li>
        );
      })}
    </ul>
  );
}
