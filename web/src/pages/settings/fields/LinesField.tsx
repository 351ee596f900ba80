// A list of texts: one a line, so that many can be pasted at once.

import { Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type FieldProps, inputProps } from "./Field";
import classes from "./fields.module.css";
import { rowsOf } from "./rows";

export function LinesField(props: FieldProps) {
  const { t } = useTranslation("settings");
  const [text, setText] = useState(() => (Array.isArray(props.value) ? props.value.join("\n") : ""));
  const type = (typed: string) => {
    setText(typed);
    const lines = typed.split("\n").map((line) => line.trim());
    props.onChange(lines.filter((line) => line !== ""));
  };
  return (
    <Textarea
      {...inputProps(props)}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      placeholder={t("onePerLine")}
      resize="vertical"
      rows={rowsOf(text, 2, 12)}
      spellCheck={false}
      classNames={{ input: classes.mono ?? "" }}
    />
  );
}
