// The parts that a page is made of: its heading, and surfaces with or without a heading of their own.

import { Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { type ReactNode, useId } from "react";
import classes from "./Panel.module.css";

/** The head of a page; it also names the browser's tab. */
export function PageHeader({ title, lead, actions }: { title: string; lead?: ReactNode; actions?: ReactNode }) {
  useDocumentTitle(`${title} · keymux`);
  return (
    <header className={classes.header}>
      <div className={classes.heading}>
        <Title order={1}>{title}</Title>
        {lead && (
          <Text c="dimmed" size="sm" component="div">
            {lead}
          </Text>
        )}
      </div>
      {actions && (
        <Group gap="xs" className={classes.actions}>
          {actions}
        </Group>
      )}
    </header>
  );
}

type PanelProps = {
  title?: string;
  /** What stands at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
  /** Content up to the edge, for tables. */
  isFlush?: boolean;
  className?: string;
};

/** A surface with its heading. */
export function Panel({ title, aside, children, isFlush, className }: PanelProps) {
  const id = useId();
  return (
    <section className={`${classes.panel} ${className ?? ""}`} aria-labelledby={title ? id : undefined}>
      {(title || aside) && (
        <div className={classes.panelHead}>
          {title && (
            <Title order={2} id={id}>
              {title}
            </Title>
          )}
          {aside && <div className={classes.panelAside}>{aside}</div>}
        </div>
      )}
      <div className={isFlush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
