// There is no page at this path.

import { Button } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { PageHeader } from "@/components/Panel";
import { EmptyState } from "@/components/states";

export function NotFound() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return (
    <>
      <PageHeader title={t("notFound.title")} />
      <EmptyState
        icon={<IconMapOff size={26} />}
        title={t("notFound.nothing", { path: pathname })}
        action={
          <Button component={Link} to="/">
            {t("notFound.home")}
          </Button>
        }
      >
        {t("notFound.text")}
      </EmptyState>
    </>
  );
}
