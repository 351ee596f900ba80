// Takes the requests that the filters match out as a file. It is sent while it is read, however long it is.

import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { address } from "@/api/client";
import type { RequestQuery } from "./requests";

const forms = ["csv", "jsonl"] as const;

export function ExportMenu({ query }: { query: RequestQuery }) {
  const { t } = useTranslation("requests");
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />} rightSection={<IconChevronDown size={14} />}>
          {t("export.action")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {forms.map((form) => (
          <Menu.Item key={form} component="a" href={fileAddress(query, form)} download>
            {t(`export.${form}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function fileAddress(query: RequestQuery, form: (typeof forms)[number]): string {
  const search = new URLSearchParams({ format: form });
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return address(`api/request_logs?${search}`);
}
