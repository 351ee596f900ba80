// What requests can be searched and filtered by.

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import type { Filter as FilterField } from "@/components/FilterBar";
import { useIsAdmin } from "@/session/session";
import { type Filter, statuses } from "./requests";

const most = { limit: 500 };

export function useFilters(set: Filter): FilterField[] {
  const { t } = useTranslation("requests");
  const isAdmin = useIsAdmin();
  const { data } = useQuery({ queryKey: ["requests", "choices"], queryFn: choices, staleTime: 60_000 });
  const keys = (data?.keys ?? []).map(({ id, label, masked_key }) => ({
    value: String(id),
    label: label ? `${label} · ${masked_key}` : masked_key,
  }));
  const long = { kind: "choice", isLong: true } as const;
  return [
    { name: "q", label: t("filter.search"), kind: "text", placeholder: t("filter.searchHint") },
    {
      name: "status",
      label: t("status"),
      kind: "choice",
      choices: statuses.map((value) => ({ value, label: value === "failed" ? t("failed") : value })),
    },
    { name: "provider", label: t("provider"), kind: "choice", choices: (data?.providers ?? []).map(plain) },
    { name: "model", label: t("model"), ...long, choices: withOwn((data?.models ?? []).map(plain), set.model) },
    { name: "client", label: t("client"), ...long, choices: withOwn(data?.clients ?? [], set.client) },
    // Members choose among their own keys, where they have some.
    ...(isAdmin || keys.length > 0 || set.key
      ? [{ name: "key", label: t("key"), ...long, choices: withOwn(keys, set.key) }]
      : []),
  ];
}

const plain = (name: string) => ({ value: name, label: name });

type Choice = { value: string; label: string };

/** What is asked for is among the choices also when it is gone, or is none of the first ones. */
function withOwn(choices: Choice[], own: string | undefined): Choice[] {
  return own && !choices.some(({ value }) => value === own) ? [{ value: own, label: own }, ...choices] : choices;
}

async function choices() {
  const query = { params: { query: most } };
  const [providers, models, clients, keys] = await Promise.all([
    ask(api.GET("/api/providers", query)),
    ask(api.GET("/api/models", query)),
    ask(api.GET("/api/allowed_keys", query)),
    ask(api.GET("/api/keys", query)),
  ]);
  return {
    providers: providers.items.map(({ name }) => name),
    models: models.items.map(({ model }) => model),
    clients: clients.items.map(({ id, name }) => ({ value: String(id), label: name })),
    keys: keys.items,
  };
}
