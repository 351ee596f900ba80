// What keys can be searched and filtered by.

import { useTranslation } from "react-i18next";
import { useProviders } from "@/api/providers";
import type { Filter } from "@/components/FilterBar";
import { sources, statuses } from "./keys";

export function useFilters(): Filter[] {
  const { t } = useTranslation("keys");
  const providers = useProviders().data ?? [];
  return [
    { name: "q", label: t("filter.search"), kind: "text", placeholder: t("filter.searchHint") },
    {
      name: "provider",
      label: t("provider"),
      kind: "choice",
      choices: providers.map(({ name }) => ({ value: name, label: name })),
    },
    {
      name: "status",
      label: t("status"),
      kind: "choice",
      choices: statuses.map((status) => ({ value: status, label: t(`common:keyStatus.${status}`) })),
    },
    {
      name: "source",
      label: t("source"),
      kind: "choice",
      choices: sources.map((source) => ({ value: source, label: t(`sources.${source}`) })),
    },
  ];
}
