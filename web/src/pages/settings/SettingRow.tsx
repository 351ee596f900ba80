// One setting: what it does, what it is, where that comes from, and the field to change it.

import { Button, Text } from "@mantine/core";
import { IconArrowBackUp, IconLock, IconRestore } from "@tabler/icons-react";
import { Fragment, memo } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "./fields/Field";
import type { Setting } from "./settings";
import classes from "./settings.module.css";
import type { Change, Editing } from "./useDrafts";
import { useProblemText } from "./useProblemText";
import { rowId } from "./useSave";
import { inLine } from "./values";

type SettingRowProps = {
  of: Setting;
  change: Change | undefined;
  editing: Editing;
  round: number;
  /** Why keymux did not take it. */
  refusal: string | undefined;
};

/** Types that need the whole width. */
const wide = ["list", "mapping", "fields"];

export const SettingRow = memo(function SettingRow({ of: setting, change, editing, round, refusal }: SettingRowProps) {
  const { t, i18n } = useTranslation("settings");
  const problemText = useProblemText();
  const isKnown = i18n.exists(`settings:about.${setting.name}`);
  const error = change?.problem ? problemText(change.problem) : refusal;
  const value = change ? change.value : setting.value;
  // Where a field keeps what is typed, it begins anew when its value comes from elsewhere.
  const begin = `${round} ${JSON.stringify(setting.value)}`;
  return (
    <div
      id={rowId(setting.name)}
      className={classes.row}
      data-wide={wide.includes(setting.type) || undefined}
      data-changed={change !== undefined || undefined}
    >
      <div className={classes.about}>
        <h3 className={classes.name}>
          <SettingName of={setting} />
        </h3>
        <Text size="sm" c="dimmed" lang={isKnown ? undefined : "en"} component="p">
          <Marked text={setting.description} />
        </Text>
        <Origin of={setting} />
      </div>
      <div className={classes.field}>
        <Field
          key={begin}
          form={setting}
          value={value}
          onChange={(next) => editing.edit(setting, next)}
          label={setting.name}
          error={error}
          isReadOnly={!setting.editable}
        />
        <div className={classes.beneath}>
          {change ? (
            <>
              <Text size="xs" c="dimmed">
                {t("was", { value: inLine(setting.value) ?? t("empty") })}
              </Text>
              <Quiet icon={IconArrowBackUp} onClick={() => editing.discard(setting.name)}>
                {t("keep")}
              </Quiet>
            </>
          ) : (
            setting.editable &&
            setting.set_by === "stored" && (
              <Quiet icon={IconRestore} onClick={() => editing.reset(setting)}>
                {t("reset")}
              </Quiet>
            )
          )}
        </div>
        {change?.isOutdated && (
          <Text size="xs" c="var(--km-warn)" role="status">
            {t("outdated")}
          </Text>
        )}
      </div>
    </div>
  );
});

/** The name, with the section before it. */
export function SettingName({ of: { name, section } }: { of: Setting }) {
  const own = name.startsWith(`${section}.`) ? name.slice(section.length + 1) : name;
  return (
    <code>
      {own !== name && <span className={classes.dim}>{section}.</span>}
      {own}
    </code>
  );
}

type QuietProps = { icon: typeof IconRestore; onClick: () => void; children: string };

function Quiet({ icon: Icon, onClick, children }: QuietProps) {
  return (
    <Button size="compact-xs" variant="subtle" color="gray" leftSection={<Icon size={13} />} onClick={onClick}>
      {children}
    </Button>
  );
}

/** Default, bounds, and who has set it. */
function Origin({ of: setting }: { of: Setting }) {
  const { t } = useTranslation("settings");
  const { minimum, maximum, set_by, set_at, has_effect } = setting;
  const facts = [
    t("default", { value: inLine(setting.default) ?? t("empty") }),
    minimum != null && maximum != null && t("bounds", { low: String(minimum), high: String(maximum) }),
  ].filter((fact) => fact !== false);
  return (
    <>
      <p className={classes.facts}>
        {facts.join(" · ")}
        {set_by !== "default" && (
          <span className={classes.origin} data-by={set_by}>
            {set_at && <IconLock size={12} aria-hidden />}
            {t(`by.${set_by}`)}
            {set_at && <code>{set_at}</code>}
          </span>
        )}
      </p>
      {set_at && <p className={classes.fixed}>{t("fixed")}</p>}
      {!has_effect && <p className={classes.fixed}>{t("noEffect")}</p>}
    </>
  );
}

/** Text with names `in backticks`. */
function Marked({ text }: { text: string }) {
  const parts = text.split("`").map((part, index) => ({ part, id: index, isCode: index % 2 === 1 }));
  return parts.map(({ part, id, isCode }) =>
    isCode ? <code key={id}>{part}</code> : <Fragment key={id}>{part}</Fragment>,
  );
}
