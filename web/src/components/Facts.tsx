// What is known of one thing: short names, and a value for each, as many beside each other as fit.

import type { ReactNode } from "react";
import classes from "./Facts.module.css";

/** A longer text has a row of its own. */
const long = 60;

export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name} data-long={(typeof value === "string" && value.length > long) || undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
