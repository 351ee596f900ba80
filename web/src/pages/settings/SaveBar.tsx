// What will be changed, at the foot of the window until it is saved or discarded.

import { Alert, Button, Collapse, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArrowRight, IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/components/useErrorText";
import { SettingName } from "./SettingRow";
import classes from "./settings.module.css";
import type { Change, Drafts } from "./useDrafts";
import { useProblemText } from "./useProblemText";
import type { useSave } from "./useSave";
import { inLine } from "./values";

type SaveBarProps = { drafts: Drafts; saving: ReturnType<typeof useSave> };

export function SaveBar({ drafts, saving }: SaveBarProps) {
  const { t } = useTranslation("settings");
  const errorText = useErrorText();
  const [isOpen, { toggle }] = useDisclosure(false);
  const count = drafts.changes.length;
  const wrong = drafts.changes.filter(({ problem }) => problem !== null).length;
  if (count === 0) return null;
  const told = saving.error ? errorText(saving.error) : null;
  const discard = () => {
    drafts.editing.discard();
    saving.forget();
  };
  const Chevron = isOpen ? IconChevronDown : IconChevronUp;
  return (
    <section className={classes.bar} aria-label={t("unsaved")}>
      {told && (
        <Alert color="red" role="alert" title={told.title}>
          {told.advice}
        </Alert>
      )}
      <Collapse expanded={isOpen}>
        <ul className={classes.preview}>
          {drafts.changes.map((change) => (
            <Before key={change.setting.name} change={change} />
          ))}
        </ul>
      </Collapse>
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Text size="sm" fw={560} role="status">
            {t("changes", { count })}
          </Text>
          {wrong > 0 && (
            <Text size="sm" c="var(--km-bad)">
              {t("wrong", { count: wrong })}
            </Text>
          )}
          {saving.refusal && (
            <Text size="sm" c="var(--km-bad)" role="alert">
              {t("refused", { name: saving.refusal.name })}
            </Text>
          )}
        </Group>
        <Group gap="xs">
          <Button
            variant="subtle"
            color="gray"
            onClick={toggle}
            aria-expanded={isOpen}
            rightSection={<Chevron size={15} />}
          >
            {t("preview")}
          </Button>
          <Button variant="default" onClick={discard}>
            {t("discard")}
          </Button>
          <Button onClick={() => void saving.save()} loading={saving.isSaving} disabled={!saving.isReady}>
            {t("common:save")}
          </Button>
        </Group>
      </Group>
    </section>
  );
}

function Before({ change }: { change: Change }) {
  const { t } = useTranslation("settings");
  const problemText = useProblemText();
  const { setting, value, isReset, problem, isOutdated } = change;
  const after = inLine(value) ?? t("empty");
  return (
    <li>
      <SettingName of={setting} />
      <span className={classes.change}>
        <del>{inLine(setting.value) ?? t("empty")}</del>
        <IconArrowRight size={13} aria-label={t("becomes")} />
        <ins>{isReset ? t("toDefault", { value: after }) : after}</ins>
      </span>
      {problem && <span className={classes.bad}>{problemText(problem)}</span>}
      {isOutdated && <span className={classes.warn}>{t("outdated")}</span>}
    </li>
  );
}
