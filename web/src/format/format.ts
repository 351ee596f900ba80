// Numbers and times as people of a language write them. Times are those of the viewer's zone.

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

export type Format = ReturnType<typeof formatOf>;

/** What an instant may be given as. */
export type Instant = string | number | Date;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The formats of the language that is shown. */
export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => formatOf(localeOf(i18n.language, window.navigator.languages)), [i18n.language]);
}

/** The language with the viewer's region, which decides on 14:05 or 2:05 pm. */
export function localeOf(language: string, preferred: readonly string[]): string {
  return preferred.find((tag) => tag === language || tag.startsWith(`${language}-`)) ?? language;
}

export function formatOf(language: string) {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  // In British English a million is "1m", as a minute is.
  const compact = new Intl.NumberFormat(language.startsWith("en") ? "en" : language, {
    notation: "compact",
    maximumFractionDigits: 1,
  });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const dollars = (digits: number) =>
    new Intl.NumberFormat(language, {
      style: "currency",
      currency: "USD",
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: Math.min(digits, 2),
      maximumFractionDigits: digits,
    });
  const [cents, thousandths] = [dollars(2), dollars(4)];
  const tiny = new Intl.NumberFormat(language, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    maximumSignificantDigits: 2,
  });
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: "unit",
      unit: name,
      unitDisplay: "narrow",
      maximumFractionDigits: digits,
    });
  const units = {
    // Its narrow form in Vietnamese is "mili giây", which is not narrow.
    millisecond: language.startsWith("vi")
      ? { format: (ms: number) => `${number.format(Math.round(ms))}ms` }
      : unit("millisecond"),
    second: unit("second", 1),
    wholeSecond: unit("second"),
    minute: unit("minute"),
    hour: unit("hour"),
    day: unit("day"),
  };
  const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"].map((name) => unit(name, 1));
  // In English the region decides; in the other languages operators count to 24, whatever is usual in speech.
  const clock: Intl.DateTimeFormatOptions = language.startsWith("en") ? {} : { hourCycle: "h23" };
  const dateTime = new Intl.DateTimeFormat(language, { ...clock, dateStyle: "medium", timeStyle: "medium" });
  const shortTime = new Intl.DateTimeFormat(language, { ...clock, hour: "2-digit", minute: "2-digit" });
  const exactTime = new Intl.DateTimeFormat(language, {
    ...clock,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const dayAndTime = new Intl.DateTimeFormat(language, {
    ...clock,
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  const dayOnly = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });

  function duration(ms: number): string {
    const whole = Math.max(0, Math.floor(ms / second));
    const parts: [number, Intl.NumberFormat][] = [
      [Math.floor(whole / 86_400), units.day],
      [Math.floor(whole / 3600) % 24, units.hour],
      [Math.floor(whole / 60) % 60, units.minute],
      [whole % 60, units.wholeSecond],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    if (first < 0) return units.wholeSecond.format(0);
    // Two units say enough: of days and hours nobody counts seconds.
    const shown = parts.slice(first, first + 2).filter(([count], index) => index === 0 || count > 0);
    return shown.map(([count, format]) => format.format(count)).join(" ");
  }

  function bytes(count: number): string {
    const step = count < 1000 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(count) / 3));
    return sizes[step]?.format(count / 1000 ** step) ?? "";
  }

  return {
    language,
    /** 1,234.5 */
    number: (value: number) => number.format(value),
    /** 1.2K */
    compact: (value: number) => (Math.abs(value) < 1000 ? number.format(value) : compact.format(value)),
    /** 99.8% of a part from 0 to 1. What is not all is never shown as 100%. */
    percent: (part: number) => percent.format(part < 1 && part > 0.999 ? Math.floor(part * 1000) / 1000 : part),
    /** 480kB */
    bytes,
    /** $0.0042: small amounts keep their digits. */
    usd: (value: number) => (value === 0 || value >= 1 ? cents : value >= 0.01 ? thousandths : tiny).format(value),
    /** 412 ms, 4.1 s, 2 min 5 s: how long something took. */
    latency: (ms: number) =>
      ms < 1000 ? units.millisecond.format(ms) : ms < 60_000 ? units.second.format(ms / 1000) : duration(ms),
    /** 5 h 12 min: the two largest units. */
    duration,
    /** Day and time, to the second. */
    dateTime: (time: Instant) => dateTime.format(new Date(time)),
    /** 14:05 */
    time: (time: Instant) => shortTime.format(new Date(time)),
    /** 14:05:09 */
    exactTime: (time: Instant) => exactTime.format(new Date(time)),
    /** 12 Mar, 14:05 */
    dayAndTime: (time: Instant) => dayAndTime.format(new Date(time)),
    /** 12 Mar */
    day: (time: Instant) => dayOnly.format(new Date(time)),
    /** 3 min ago, in 2 hr */
    relative: (time: Instant, now: number) => {
      const away = new Date(time).getTime() - now;
      const size = Math.abs(away);
      if (size < minute) return relative.format(Math.trunc(away / second), "second");
      if (size < hour) return relative.format(Math.round(away / minute), "minute");
      if (size < day) return relative.format(Math.round(away / hour), "hour");
      return relative.format(Math.round(away / day), "day");
    },
  };
}
