// Keys down, models across. Only what is seen is drawn, in both directions, and keys come in pages: it stays fluid with
// 100,000 of them. By keyboard: arrows move from cell to cell, Enter opens one.

import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { List } from "@/api/list";
import { Countdown } from "@/components/Countdown";
import { StatusBadge } from "@/components/StatusBadge";
import { TableFoot } from "@/components/TableFoot";
import { useFormat } from "@/format/format";
import { CellMark, Legend } from "./CellMark";
import { type Cell, cellOf, type Model, nameOf, type Standing } from "./models";
import classes from "./models.module.css";

const rowHeight = 38;
const columnWidth = 132;
/** So many rows before the end more are asked for. */
const early = 20;

type GridProps = {
  list: List<Standing>;
  models: Model[];
  onOpen: (what: { key?: string; model?: string }) => void;
};

/** The head of rows is column 0, the head of columns is row 0. */
type Place = { row: number; column: number };

export function Grid({ list, models, onOpen }: GridProps) {
  const { t } = useTranslation("models");
  const isNarrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const keyWidth = isNarrow ? 128 : 260;
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: list.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  const columns = useVirtualizer({
    horizontal: true,
    count: models.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => columnWidth,
    overscan: 3,
  });
  useMore(list, rows.getVirtualItems().at(-1)?.index ?? 0);
  const [current, setCurrent] = useState<Place>({ row: 1, column: 1 });
  const move = (place: Place) => {
    const next = {
      row: Math.max(0, Math.min(list.rows.length, place.row)),
      column: Math.max(0, Math.min(models.length, place.column)),
    };
    // The corner leads nowhere.
    if (next.row === 0 && next.column === 0) return;
    setCurrent(next);
    if (next.row > 0) rows.scrollToIndex(next.row - 1);
    if (next.column > 0) columns.scrollToIndex(next.column - 1);
    const cell = `[data-place="${next.row}:${next.column}"]`;
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(cell)?.focus());
  };
  const at = (row: number, column: number) => ({
    place: { row, column },
    isCurrent: current.row === row && current.column === column,
    onMove: move,
    onFocus: setCurrent,
  });

  const across = columns.getVirtualItems();
  const down = rows.getVirtualItems();
  const left = across[0]?.start ?? 0;
  const right = columns.getTotalSize() - (across.at(-1)?.end ?? 0);
  const above = down[0]?.start ?? 0;
  const below = rows.getTotalSize() - (down.at(-1)?.end ?? 0);
  const span = across.length + 3;
  return (
    <div className={classes.frame} data-outdated={list.isOutdated || undefined}>
      <section ref={scroller} className={classes.scroller} aria-label={t("grid")}>
        <table
          className={classes.grid}
          style={{ width: keyWidth + columns.getTotalSize() }}
          aria-rowcount={(list.total ?? list.rows.length) + 1}
          aria-colcount={models.length + 1}
        >
          <caption className={classes.caption}>{t("grid")}</caption>
          <colgroup>
            <col style={{ width: keyWidth }} />
            <col style={{ width: left }} />
            {across.map(({ key }) => (
              <col key={key} style={{ width: columnWidth }} />
            ))}
            <col style={{ width: right }} />
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col" aria-colindex={1}>
                {t("key")}
              </th>
              <td aria-hidden />
              {across.map(({ index }) => {
                const model = models[index];
                return (
                  model && (
                    <th key={model.model} scope="col" aria-colindex={index + 2}>
                      <Stop {...at(0, index + 1)} onOpen={() => onOpen({ model: model.model })} title={model.model}>
                        <ModelHead model={model} />
                      </Stop>
                    </th>
                  )
                );
              })}
              <td aria-hidden />
            </tr>
          </thead>
          <tbody>
            {above > 0 && <Space height={above} span={span} />}
            {down.map(({ index }) => {
              const key = list.rows[index];
              return (
                key && (
                  <tr key={key.id} aria-rowindex={index + 2}>
                    <th scope="row" aria-colindex={1}>
                      <Stop {...at(index + 1, 0)} onOpen={() => onOpen({ key: String(key.id) })} title={nameOf(key)}>
                        <KeyHead of={key} />
                      </Stop>
                    </th>
                    <td aria-hidden />
                    {across.map((column) => {
                      const model = models[column.index]?.model;
                      if (model === undefined) return null;
                      const cell = cellOf(key, model);
                      return (
                        <td key={model} aria-colindex={column.index + 2} data-state={cell.state}>
                          <Stop
                            {...at(index + 1, column.index + 1)}
                            onOpen={() => onOpen({ key: String(key.id), model })}
                            label={`${nameOf(key)}, ${model}`}
                          >
                            <CellContent cell={cell} />
                          </Stop>
                        </td>
                      );
                    })}
                    <td aria-hidden />
                  </tr>
                )
              );
            })}
            {below > 0 && <Space height={below} span={span} />}
          </tbody>
        </table>
      </section>
      <div className={classes.foot}>
        <Legend />
        <TableFoot list={list} />
      </div>
    </div>
  );
}

function useMore({ hasMore, loadMore, rows }: List<Standing>, lastDrawn: number) {
  useEffect(() => {
    if (hasMore && lastDrawn >= rows.length - early) loadMore();
  }, [hasMore, lastDrawn, rows.length, loadMore]);
}

type StopProps = {
  place: Place;
  isCurrent: boolean;
  onMove: (place: Place) => void;
  onFocus: (place: Place) => void;
  onOpen: () => void;
  /** What it is, before what it says. */
  label?: string;
  title?: string;
  children: ReactNode;
};

/** One place that the keyboard stops at. Only the current one is reached by Tab. */
function Stop({ place, isCurrent, onMove, onFocus, onOpen, label, title, children }: StopProps) {
  const onKey = (event: KeyboardEvent) => {
    const { row, column } = place;
    const moves: { [key: string]: Place } = {
      ArrowDown: { row: row + 1, column },
      ArrowUp: { row: row - 1, column },
      ArrowRight: { row, column: column + 1 },
      ArrowLeft: { row, column: column - 1 },
      PageDown: { row: row + 12, column },
      PageUp: { row: row - 12, column },
      Home: { row, column: 0 },
      End: { row, column: Number.POSITIVE_INFINITY },
    };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    onMove(to);
  };
  return (
    <button
      type="button"
      className={classes.stop}
      data-place={`${place.row}:${place.column}`}
      tabIndex={isCurrent ? 0 : -1}
      title={title}
      onKeyDown={onKey}
      onFocus={() => onFocus(place)}
      onClick={onOpen}
    >
      {label && <span className={classes.caption}>{label}: </span>}
      {children}
    </button>
  );
}

function CellContent({ cell }: { cell: Cell }) {
  const { t } = useTranslation("models");
  const isTold = cell.until === undefined && cell.state !== "usable";
  return (
    <>
      {!isTold && <span className={classes.caption}>{t(`state.${cell.state}`)} </span>}
      <CellMark cell={cell} />
    </>
  );
}

function ModelHead({ model }: { model: Model }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  return (
    <span className={classes.modelHead}>
      <span className={classes.modelName}>{model.model}</span>
      <span className={classes.counts}>
        {t("usableOf", { number: format.compact(model.usable_keys) })}
        {model.next_reset_at && (
          <span className={classes.until}>
            {" · "}
            <Countdown to={model.next_reset_at} />
          </span>
        )}
      </span>
    </span>
  );
}

function KeyHead({ of: key }: { of: Standing }) {
  return (
    <span className={classes.keyHead}>
      <span className={classes.keyName}>
        {key.label && <span className={classes.label}>{key.label}</span>}
        <code>{key.masked_key}</code>
      </span>
      {key.status !== "active" && <StatusBadge status={key.status} />}
    </span>
  );
}

function Space({ height, span }: { height: number; span: number }) {
  return (
    <tr aria-hidden className={classes.space}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}
