// The sections at the side of the page: where one is, where changes are, and how to get there.

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Section } from "./settings";
import classes from "./settings.module.css";
import type { Change } from "./useDrafts";
import { useSectionTitle } from "./useSectionTitle";

/** Where a section stands in the page. */
export function sectionId(name: string): string {
  return `section-${name}`;
}

export function SectionIndex({ sections, changes }: { sections: Section[]; changes: Change[] }) {
  const { t } = useTranslation("settings");
  const title = useSectionTitle();
  const current = useCurrent(sections);
  return (
    <nav className={classes.index} aria-label={t("sectionsLabel")}>
      <ul>
        {sections.map(({ name, settings }) => {
          const changed = changes.filter(({ setting }) => setting.section === name).length;
          return (
            <li key={name}>
              <a href={`#${sectionId(name)}`} aria-current={name === current ? "location" : undefined}>
                {title(name)}
                <span className={classes.count} data-changed={changed > 0 || undefined}>
                  {changed > 0 ? t("changedIn", { count: changed }) : settings.length}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** The section that is read now: the last whose heading has gone past the top. */
function useCurrent(sections: Section[]): string | undefined {
  const [current, setCurrent] = useState<string>();
  const names = sections.map(({ name }) => name).join(" ");
  useEffect(() => {
    const look = () => {
      const all = names.split(" ");
      const top = (name: string) =>
        document.getElementById(sectionId(name))?.getBoundingClientRect().top ?? window.innerHeight;
      const isAtEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
      setCurrent(isAtEnd && window.scrollY > 0 ? all.at(-1) : (all.findLast((name) => top(name) < 140) ?? all[0]));
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, [names]);
  return current;
}
