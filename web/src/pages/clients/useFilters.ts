// What client keys can be searched and filtered by.

import { useTranslation } from "react-i18next";
import type { Filter } from "@/components/FilterBar";
import { useIsAdmin } from "@/session/session";
import { useUserNames } from "./clients";

export function useFilters(): Filter[] {
  const { t } = useTranslation("clients");
  const isAdmin = useIsAdmin();
  const owners = useUserNames(isAdmin);
  const common: Filter[] = [
    { name: "q", label: t("filter.search"), kind: "text", placeholder: t("name") },
    {
      name: "enabled",
      label: t("state"),
      kind: "choice",
      choices: [
        { value: "true", label: t("filter.enabled") },
        { value: "false", label: t("states.disabled") },
      ],
    },
  ];
  if (!isAdmin) return common;
  const choices = owners.map((value) => ({ value, label: value }));
  return [...common, { name: "owner", label: t("owner"), kind: "choice", choices, isLong: true }];
}
