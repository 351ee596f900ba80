// What an error means to whoever sees it, and what they can do about it.

import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";

export type ErrorText = { title: string; advice: string };

export function useErrorText(): (error: unknown) => ErrorText {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) {
      return { title: t("error.bug"), advice: error instanceof Error ? error.message : String(error) };
    }
    if (error.code === "last_admin") return { title: t("error.lastAdmin"), advice: t("error.lastAdminAdvice") };
    switch (error.status) {
      case 0:
        return { title: t("error.unreachable"), advice: t("error.unreachableAdvice") };
      case 401:
        return { title: t("error.loggedOut"), advice: t("error.loggedOutAdvice") };
      case 403:
        return { title: t("error.forbidden"), advice: error.message };
      case 404:
        return { title: t("error.notFound"), advice: error.message };
      case 409:
        return { title: t("error.conflict"), advice: error.message };
      case 422:
        return { title: t("error.invalid"), advice: error.field ? `${error.field}: ${error.message}` : error.message };
      case 429:
        return { title: t("error.tooMany"), advice: t("error.tooManyAdvice", { count: error.retryAfter ?? 30 }) };
      case 503:
        return { title: t("error.database"), advice: t("error.databaseAdvice") };
      default:
        return { title: t("error.unexpected", { status: error.status }), advice: error.message };
    }
  };
}
