// Settings that can be changed while keymux runs: a form made of what the admin API says about each.

import { Button, Group } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import { startTransition, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState, ErrorState, LoadingRows } from "@/components/states";
import { LeaveGuard } from "./LeaveGuard";
import { SaveBar } from "./SaveBar";
import { SectionIndex, sectionId } from "./SectionIndex";
import { SettingRow } from "./SettingRow";
import { matching, type Section, type Setting, sectionsOf, setBy, useSettings } from "./settings";
import classes from "./settings.module.css";
import { useDrafts } from "./useDrafts";
import { useSave } from "./useSave";
import { useSectionTitle } from "./useSectionTitle";

export default function SettingsPage() {
  const { t } = useTranslation("settings");
  const { data, error, refetch } = useSettings();
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} />
      {data ? (
        <SettingsForm settings={data} />
      ) : (
        <Panel>{error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <LoadingRows />}</Panel>
      )}
    </>
  );
}

function SettingsForm({ settings }: { settings: Setting[] }) {
  const { t } = useTranslation("settings");
  const title = useSectionTitle();
  const [url, setUrl] = useUrlState(["q", "by"]);
  const drafts = useDrafts(settings);
  const saving = useSave(drafts);
  const described = useDescribed(settings);
  const sections = sectionsOf(matching(described, url.q ?? "", url.by));
  const drawn = useDrawn(sections);
  useScrollToHash();
  const filters = [
    { name: "q", label: t("search"), kind: "text" as const, placeholder: t("searchHint") },
    {
      name: "by",
      label: t("setBy"),
      kind: "choice" as const,
      choices: setBy.map((value) => ({ value, label: t(`by.${value}`) })),
    },
  ];
  return (
    <>
      <LeaveGuard count={drafts.changes.length} />
      <Group>
        <FilterBar filters={filters} values={url} onChange={setUrl} />
      </Group>
      {sections.length === 0 ? (
        <Panel>
          <EmptyState
            icon={<IconSearchOff size={26} />}
            title={t("noMatch")}
            action={
              <Button variant="default" onClick={() => setUrl({ q: null, by: null })}>
                {t("common:filter.clear")}
              </Button>
            }
          >
            {t("noMatchText")}
          </EmptyState>
        </Panel>
      ) : (
        <div className={classes.page}>
          <SectionIndex sections={sections} changes={drafts.changes} />
          <div className={classes.sections}>
            {drawn.map(({ name, settings: own }) => (
              <div key={name} id={sectionId(name)} className={classes.section}>
                <Panel title={title(name)}>
                  {own.map((setting) => (
                    <SettingRow
                      key={setting.name}
                      of={setting}
                      change={drafts.changes.find((change) => change.setting.name === setting.name)}
                      editing={drafts.editing}
                      round={drafts.round}
                      refusal={saving.refusal?.name === setting.name ? saving.refusal.text : undefined}
                    />
                  ))}
                </Panel>
              </div>
            ))}
          </div>
        </div>
      )}
      <SaveBar drafts={drafts} saving={saving} />
    </>
  );
}

/** Settings as this page describes them; one that it does not know yet says what keymux says of it, in English. */
function useDescribed(settings: Setting[]): Setting[] {
  const { t } = useTranslation("settings");
  return useMemo(
    () =>
      settings.map((setting) => ({
        ...setting,
        description: t(`about.${setting.name}`, { defaultValue: setting.description }),
      })),
    [settings, t],
  );
}

/** As many sections as fill a window. */
const first = 3;

/** What is seen first is drawn first; the others follow, while the page can be used already. A link may lead to any of them. */
function useDrawn(sections: Section[]): Section[] {
  const [isWhole, setIsWhole] = useState(window.location.hash !== "");
  useEffect(() => startTransition(() => setIsWhole(true)), []);
  return isWhole ? sections : sections.slice(0, first);
}

/** A link such as `/settings#section-egress` leads there, although the section came after the page. */
function useScrollToHash() {
  useEffect(() => {
    const { hash } = window.location;
    if (hash) document.getElementById(hash.slice(1))?.scrollIntoView();
  }, []);
}
