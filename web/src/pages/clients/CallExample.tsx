// How a program calls keymux with a client key.

import { useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import { snippetsOf } from "@/components/snippets";
import { type Client, exampleModel, useModelNames } from "./clients";

export function CallExample({ of: client, secret }: { of: Client; secret?: string }) {
  const { t } = useTranslation("clients");
  const model = exampleModel(client.allowed_models, useModelNames());
  return (
    <CodeSnippet snippets={snippetsOf({ home, model, ...(secret ? { key: secret } : {}) })} label={t("tabs.call")} />
  );
}
