import { expect, it } from "vitest";
import { nextPacificMidnight } from "./pacific";

it.each([
  // Winter: eight hours behind UTC.
  ["2026-11-20T13:00:00Z", "2026-11-21T08:00:00Z"],
  // Summer: seven.
  ["2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"],
  ["2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"],
  // The day that summer time begins has 23 hours, the one that it ends 25.
  ["2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"],
  ["2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"],
  // The last day of a month and of a year.
  ["2026-12-31T20:00:00Z", "2027-01-01T08:00:00Z"],
])("after %s the quotas of a day come back at %s", (now, reset) => {
  expect(new Date(nextPacificMidnight(Date.parse(now))).toISOString()).toBe(new Date(reset).toISOString());
});
