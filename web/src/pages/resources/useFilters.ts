// What resources can be searched and filtered by.

import { useTranslation } from "react-i18next";
import { useProviders } from "@/api/providers";
import type { Filter } from "@/components/FilterBar";
import { collections, useClients } from "./resources";

export function useFilters(): Filter[] {
  const { t } = useTranslation("resources");
  const providers = useProviders().data ?? [];
  const clients = useClients().data ?? [];
  return [
    { name: "q", label: t("search"), kind: "text", placeholder: t("searchHint") },
    {
      name: "collection",
      label: t("kind"),
      kind: "choice",
      choices: collections.map((value) => ({ value, label: t(`kinds.${value}`) })),
    },
    {
      name: "client",
      label: t("client"),
      kind: "choice",
      isLong: true,
      choices: clients.map(({ id, name }) => ({ value: String(id), label: name })),
    },
    {
      name: "provider",
      label: t("provider"),
      kind: "choice",
      choices: providers.map(({ name }) => ({ value: name, label: name })),
    },
  ];
}
