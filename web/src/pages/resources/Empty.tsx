// No resource is known yet: what belongs to a project, and how to make the first.

import { IconFolders } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import { anyKey, shell } from "@/components/snippets";
import { EmptyState } from "@/components/states";
import classes from "./resources.module.css";

export function Empty() {
  const { t } = useTranslation("resources");
  return (
    <EmptyState icon={<IconFolders size={26} />} title={t("empty")}>
      <div className={classes.lesson}>
        <span>{t("emptyText")}</span>
        <CodeSnippet snippets={[upload()]} label={t("emptyTry")} />
      </div>
    </EmptyState>
  );
}

/** Uploads a file in one go. */
function upload() {
  const code = [
    `curl ${shell(`${home.href}upload/v1beta/files`)} \\`,
    `  -H ${shell(`x-goog-api-key: ${anyKey}`)} \\`,
    `  -H 'X-Goog-Upload-Protocol: raw' \\`,
    `  -H 'Content-Type: text/plain' \\`,
    "  --data-binary @notes.txt",
  ];
  return { name: "curl", code: code.join("\n") };
}
