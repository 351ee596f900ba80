// A small picture of the last minute or so, for beside a figure that says the same in digits.

import classes from "./Sparkline.module.css";

export function Sparkline({ values, color = "var(--km-chart-1)" }: { values: number[]; color?: string }) {
  const width = 120;
  const height = 36;
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const at = (value: number, index: number) =>
    `${(index * step).toFixed(1)},${(height - 2 - (value / most) * (height - 6)).toFixed(1)}`;
  const line = values.map(at).join(" ");
  if (values.length < 2) return null;
  return (
    <svg
      className={classes.picture}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <polygon points={`0,${height} ${line} ${width},${height}`} fill={color} opacity={0.13} />
      <polyline points={line} fill="none" stroke={color} strokeWidth={1.5} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
