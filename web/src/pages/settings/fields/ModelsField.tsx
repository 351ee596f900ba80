// A model, or several of them that stand in for each other in their order, separated by commas.

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { type FieldProps, inputProps } from "./Field";
import classes from "./fields.module.css";

export function ModelsField(props: FieldProps) {
  const { value, onChange } = props;
  const [text, setText] = useState(() => (Array.isArray(value) ? value.join(", ") : String(value ?? "")));
  const type = (typed: string) => {
    setText(typed);
    const models = typed.split(",").map((model) => model.trim());
    const given = models.filter((model) => model !== "");
    onChange(given.length > 1 ? given : (given[0] ?? null));
  };
  return (
    <TextInput
      {...inputProps(props)}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      placeholder="google/gemini-2.5-pro, xai/grok-4"
      autoComplete="off"
      spellCheck={false}
      classNames={{ input: classes.mono ?? "" }}
    />
  );
}
