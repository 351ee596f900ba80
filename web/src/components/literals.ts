// Values as people write them in Python and JavaScript: on one line where that is short, else one member a line.

/** Something that is written as it is, because it is no value but code. */
export class Code {
  constructor(readonly text: string) {}
}

export type Style = {
  key: (name: string) => string;
  /** Between a brace and what is in it. */
  blank: string;
  indent: number;
  words: { true: string; false: string; null: string };
};

export const python: Style = {
  key: (name) => JSON.stringify(name),
  blank: "",
  indent: 4,
  words: { true: "True", false: "False", null: "None" },
};

export const javascript: Style = {
  key: (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)),
  blank: " ",
  indent: 2,
  words: { true: "true", false: "false", null: "null" },
};

const widest = 84;

/** A value; `depth` is how far its line is indented, `before` how much stands on it already. */
export function literal(value: unknown, style: Style, depth = 0, before = 0): string {
  if (value instanceof Code) return value.text;
  if (typeof value === "boolean" || value === null) return style.words[`${value}`];
  if (typeof value !== "object") return JSON.stringify(value);
  const [open, close, blank] = Array.isArray(value) ? ["[", "]", ""] : ["{", "}", style.blank];
  const members = membersOf(value, style);
  if (members.length === 0) return open + close;
  const short = members.map(([name, member]) => name + literal(member, style)).join(", ");
  const line = open + blank + short + blank + close;
  if (!line.includes("\n") && depth + before + line.length <= widest) return line;
  const inner = depth + style.indent;
  const lines = members.map(
    ([name, member]) => `${" ".repeat(inner)}${name}${literal(member, style, inner, name.length)},`,
  );
  return [open, ...lines, " ".repeat(depth) + close].join("\n");
}

function membersOf(value: object, style: Style): [string, unknown][] {
  if (Array.isArray(value)) return value.map((member) => ["", member]);
  return Object.entries(value).map(([name, member]) => [`${style.key(name)}: `, member]);
}

/** The arguments of a call in Python, one a line. */
export function pythonArguments(values: object): string[] {
  return Object.entries(values).map(([name, value]) => `    ${name}=${literal(value, python, 4, name.length + 1)},`);
}
