// How a whole is divided: a bar of parts, and a list that says the same in words and numbers.

import type { ReactNode } from "react";
import { useFormat } from "@/format/format";
import classes from "./ShareBar.module.css";

export type Share = { name: string; label: ReactNode; value: number; color: string };

export function ShareBar({ shares }: { shares: Share[] }) {
  const format = useFormat();
  const whole = shares.reduce((sum, { value }) => sum + value, 0);
  return (
    <div>
      <div className={classes.bar} aria-hidden>
        {shares
          .filter(({ value }) => value > 0)
          .map(({ name, value, color }) => (
            <span key={name} style={{ flexGrow: value, background: color }} />
          ))}
      </div>
      <ul className={classes.list}>
        {shares.map(({ name, label, value, color }) => (
          <li key={name}>
            <span className={classes.dot} style={{ background: color }} aria-hidden />
            <span className={classes.label}>{label}</span>
            <span className={classes.value}>{format.number(value)}</span>
            <span className={classes.part}>{whole > 0 ? format.percent(value / whole) : "–"}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Things by how much they have of something, the largest first; each may lead somewhere. */
export function RankList({
  rows,
  format,
}: {
  rows: { name: string; label: ReactNode; value: number }[];
  format: (value: number) => string;
}) {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return (
    <ol className={classes.ranks}>
      {rows.map(({ name, label, value }) => (
        <li key={name}>
          <span className={classes.rankBar} style={{ width: `${(100 * value) / most}%` }} aria-hidden />
          <span className={classes.rankLabel}>{label}</span>
          <span className={classes.value}>{format(value)}</span>
        </li>
      ))}
    </ol>
  );
}
