// What lines of the activity log can be searched and filtered by.

import { useTranslation } from "react-i18next";
import type { Filter } from "@/components/FilterBar";
import { actions, resources } from "./activity";

export function useFilters(): Filter[] {
  const { t } = useTranslation("activity");
  return [
    { name: "q", label: t("search"), kind: "text", placeholder: t("details") },
    { name: "actor", label: t("who"), kind: "text", placeholder: t("actorHint") },
    {
      name: "action",
      label: t("did"),
      kind: "choice",
      isLong: true,
      choices: actions.map((value) => ({ value, label: t(`common:actions.${value}`) })),
    },
    {
      name: "resource",
      label: t("what"),
      kind: "choice",
      choices: resources.map((value) => ({ value, label: t(`resources.${value}`) })),
    },
  ];
}
