// What a section is called; one that there is no title for has its own name.

import { useTranslation } from "react-i18next";

export function useSectionTitle(): (name: string) => string {
  const { t, i18n } = useTranslation("settings");
  return (name) => (i18n.exists(`settings:sections.${name}`) ? t(`sections.${name}`) : name.replaceAll("_", " "));
}
