// One figure that matters, with what it is and how it stands.

import type { ReactNode } from "react";
import classes from "./StatCard.module.css";
import type { Tone } from "./StatusBadge";

type StatCardProps = {
  label: string;
  value: ReactNode;
  /** What puts the figure into proportion. */
  detail?: ReactNode;
  tone?: Tone;
  /** A small picture of it, such as a sparkline. */
  picture?: ReactNode;
};

export function StatCard({ label, value, detail, tone, picture }: StatCardProps) {
  return (
    <div className={classes.card} data-tone={tone}>
      <dl className={classes.figure}>
        <dt>{label}</dt>
        <dd className={classes.value}>{value}</dd>
        {detail && <dd className={classes.detail}>{detail}</dd>}
      </dl>
      {picture && <div className={classes.picture}>{picture}</div>}
    </div>
  );
}

/** Cards beside each other, as many as fit. */
export function StatCards({ children }: { children: ReactNode }) {
  return <div className={classes.cards}>{children}</div>;
}
