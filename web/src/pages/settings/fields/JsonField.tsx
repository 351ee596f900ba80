// A value of a type that this dashboard has no field for, as JSON.

import { JsonInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type FieldProps, inputProps } from "./Field";
import classes from "./fields.module.css";
import { rowsOf } from "./rows";

export function JsonField(props: FieldProps) {
  const { t } = useTranslation("settings");
  const [text, setText] = useState(() => JSON.stringify(props.value ?? null, null, 2));
  const type = (typed: string) => {
    setText(typed);
    props.onChange(parsed(typed));
  };
  return (
    <JsonInput
      {...inputProps(props)}
      placeholder={t("json")}
      value={text}
      onChange={type}
      resize="vertical"
      rows={rowsOf(text, 3, 16)}
      spellCheck={false}
      classNames={{ input: classes.mono ?? "" }}
    />
  );
}

/** Undefined: it is no JSON yet. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
