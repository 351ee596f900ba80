// The same call in several languages, to copy.

import { Code, Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./CodeSnippet.module.css";
import { CopyButton } from "./CopyButton";

export type Snippet = { name: string; code: string };

export function CodeSnippet({ snippets, label }: { snippets: Snippet[]; label?: string }) {
  const { t } = useTranslation();
  const [first] = snippets;
  if (!first) return null;
  if (snippets.length === 1) return <Block snippet={first} label={label ?? t("code")} />;
  return (
    <Tabs defaultValue={first.name} variant="pills" radius="sm" classNames={{ list: classes.list ?? "" }}>
      <Tabs.List aria-label={label ?? t("code")}>
        {snippets.map(({ name }) => (
          <Tabs.Tab key={name} value={name}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map((snippet) => (
        <Tabs.Panel key={snippet.name} value={snippet.name}>
          <Block snippet={snippet} label={snippet.name} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function Block({ snippet, label }: { snippet: Snippet; label: string }) {
  return (
    <div className={classes.block}>
      {/* Long lines are scrolled to by keyboard too. */}
      <Code block className={classes.code} role="region" aria-label={label} tabIndex={0}>
        {snippet.code}
      </Code>
      <span className={classes.copy}>
        <CopyButton text={snippet.code} />
      </span>
    </div>
  );
}
