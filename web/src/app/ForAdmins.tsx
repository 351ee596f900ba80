// What a member sees at the address of a page that only administrators have a use for.

import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { PageHeader } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import type { PageRoute } from "./pages";

export function ForAdmins({ page }: { page: PageRoute }) {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t(`nav.${page.name}`)} />
      <EmptyState
        icon={<IconLock size={26} />}
        title={t("forAdmins.title")}
        action={
          <Button component={Link} to="/">
            {t("notFound.home")}
          </Button>
        }
      >
        {t("forAdmins.text")}
      </EmptyState>
    </>
  );
}
