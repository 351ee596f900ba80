// Lets something be used at once that is set aside: a key for a model, a key, a model for all keys.

import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { refreshLists } from "@/api/list";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";

export function useRelease() {
  const { t } = useTranslation("models");
  const format = useFormat();
  const client = useQueryClient();
  const notify = useNotify();
  const afterwards = () => refreshLists(client, "/api/keys/standings", "/api/models", "/api/keys");

  const ofModel = async (provider: string, model: string, keyId?: number) => {
    const body = { provider, model, ...(keyId !== undefined && { key_id: keyId }) };
    const { reset } = await ask(api.POST("/api/models/reset", { body }));
    notify.done(t("released", { count: reset, number: format.number(reset) }));
    await afterwards();
  };
  const ofKey = async (id: number, name: string) => {
    await ask(api.POST("/api/keys/{id}/reset", { params: { path: { id } } }));
    notify.done(t("keyReleased", { name }));
    await afterwards();
  };
  return { ofModel, ofKey };
}
