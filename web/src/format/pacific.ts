// Google counts days in Los Angeles: daily quotas come back at midnight there, whatever the season.

const zone = "America/Los_Angeles";
const hour = 3_600_000;

const clock = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone,
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
});

function partsOf(time: number) {
  const parts = Object.fromEntries(clock.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  return { year: parts.year ?? 0, month: parts.month ?? 0, day: parts.day ?? 0, hour: parts.hour ?? 0 };
}

/** The next midnight in Los Angeles after an instant, in milliseconds. */
export function nextPacificMidnight(after: number): number {
  const { year, month, day } = partsOf(after);
  // Midnight there is 07:00 UTC in summer and 08:00 in winter.
  const candidates = [7, 8].map((offset) => Date.UTC(year, month - 1, day + 1) + offset * hour);
  return candidates.find((time) => time > after && partsOf(time).hour === 0) ?? after + 24 * hour;
}
