// Changes what a client key is called and what it may do.

import { Alert } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { refreshLists } from "@/api/list";
import { useNotify } from "@/components/useNotify";
import { ClientForm } from "./ClientForm";
import { type Client, type ClientInput, inputOf, isFixed, putClient } from "./clients";
import { inputOfValues, type Values, valuesOf } from "./form";

export function EditClient({ of: client }: { of: Client }) {
  const { t } = useTranslation("clients");
  const queries = useQueryClient();
  const notify = useNotify();
  const before = inputOf(client);
  const put = async (input: ClientInput) => {
    await putClient(client.id, input);
    await queries.invalidateQueries({ queryKey: ["client", client.id] });
    await refreshLists(queries, "/api/allowed_keys");
  };
  const save = async (values: Values) => {
    await put(inputOfValues(values, before));
    notify.undoable(t("saved", { name: values.name }), () => put(before));
  };
  if (isFixed(client)) return <Alert color="gray">{t("fixed")}</Alert>;
  return <ClientForm start={valuesOf(before)} submitLabel={t("common:save")} onSubmit={save} />;
}
