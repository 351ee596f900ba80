// Where values lie in a chart, and that whoever does not see it gets them too.

import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "@/testing/show";
import { bandsOf, labelled, niceTicks, runs } from "./scale";
import { TimeChart } from "./TimeChart";

it.each([
  [0, [0]],
  [Number.NaN, [0]],
  [1, [0, 0.25, 0.5, 0.75, 1]],
  [7, [0, 2, 4, 6, 8]],
  [18, [0, 5, 10, 15, 20]],
  [0.0002, [0, 0.00005, 0.0001, 0.00015, 0.0002]],
  [123_456, [0, 50_000, 100_000, 150_000]],
])("up to %d one counts in %j", (most, ticks) => {
  expect(niceTicks(most)).toEqual(ticks);
});

describe("stacked lines", () => {
  const points = [
    { time: 0, good: 3, bad: 1 },
    { time: 1, good: 2, bad: null },
    { time: 2, good: 0, bad: 4 },
  ];

  it("begin where the one before ends, and have gaps where nothing was measured", () => {
    const [, bad] = bandsOf(points, ["good", "bad"], true);
    expect(bad?.spans).toEqual([{ from: 3, to: 4 }, null, { from: 0, to: 4 }]);
    expect(bad && runs(bad)).toEqual([[0], [2]]);
  });

  it("begin at nothing when they do not add up", () => {
    const [, bad] = bandsOf(points, ["good", "bad"], false);
    expect(bad?.spans[0]).toEqual({ from: 0, to: 1 });
  });
});

it("times are written only as close as there is room for", () => {
  expect(labelled(15, 420)).toEqual([0, 3, 6, 9, 12]);
  expect(labelled(2, 1000)).toEqual([0, 1]);
  expect(labelled(0, 1000)).toEqual([]);
});

const chart = {
  title: "Requests",
  kind: "stacked" as const,
  format: (value: number) => `${value} req`,
  lines: [{ name: "good", label: "Succeeded", color: "green" }],
};

it("a chart is a picture, a sentence and a table", async () => {
  const points = [3, 7, 5].map((good, index) => ({ time: index * 60_000, good }));
  const { user } = await show(<TimeChart {...chart} points={points} />);
  expect(screen.getByText(/Succeeded: last 5 req, lowest 3 req, highest 7 req\./)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Show as table: Requests" }));
  expect(screen.getByRole("columnheader", { name: "Succeeded" })).toBeTruthy();
  // The newest first.
  expect(screen.getAllByRole("cell").map(({ textContent }) => textContent)).toEqual(["5 req", "7 req", "3 req"]);
});

it("a chart of nothing says so", async () => {
  await show(<TimeChart {...chart} points={[{ time: 0, good: 0 }]} />);
  expect(screen.getAllByText("Nothing to show in this time.")[0]).toBeTruthy();
});
