// The keyboard's short ways: `g` and a letter goes to a page, `/` to the search, `?` shows them all.

import { Kbd, Modal, Stack, Table, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { usePages } from "./pages";

const asked = "keymux:shortcuts";
/** How long a `g` waits for its letter. */
const patience = 1200;

export function openShortcuts() {
  window.dispatchEvent(new Event(asked));
}

export function Shortcuts() {
  const { t } = useTranslation();
  const [opened, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const pages = usePages();
  const went = useRef(Number.NEGATIVE_INFINITY);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isInDialogue()) return;
      const goes = event.timeStamp - went.current < patience;
      went.current = event.key === "g" && !goes ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const page = goes ? pages.find(({ shortcut }) => shortcut === event.key) : undefined;
      if (page) void navigate(page.path);
      else if (event.key === "?") open();
      else if (event.key === "/")
        document.querySelector<HTMLInputElement>("[data-search] input, input[data-search]")?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener(asked, open);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener(asked, open);
    };
  }, [navigate, open, pages]);

  const general = [
    { keys: ["?"], says: t("shortcuts.help") },
    { keys: ["/"], says: t("shortcuts.search") },
    { keys: ["Esc"], says: t("shortcuts.close") },
  ];
  const inTables = [
    { keys: ["↑", "↓"], says: t("shortcuts.move") },
    { keys: ["Enter"], says: t("shortcuts.open") },
    { keys: ["Space"], says: t("shortcuts.choose") },
  ];
  const toPages = pages.map(({ name, shortcut }) => ({ keys: ["g", shortcut], says: t(`nav.${name}`) }));
  return (
    <Modal opened={opened} onClose={close} title={t("shortcuts.title")} closeButtonProps={{ "aria-label": t("close") }}>
      <Stack gap="md">
        <List rows={general} title={t("shortcuts.everywhere")} />
        <List rows={inTables} title={t("shortcuts.inTables")} />
        <List rows={toPages} title={t("shortcuts.toPages")} />
      </Stack>
    </Modal>
  );
}

function List({ rows, title }: { rows: { keys: string[]; says: string }[]; title: string }) {
  return (
    <section>
      <Title order={3} mb={4}>
        {title}
      </Title>
      <Table verticalSpacing={5} withRowBorders={false}>
        <Table.Tbody>
          {rows.map(({ keys, says }) => (
            <Table.Tr key={says}>
              <Table.Td>{says}</Table.Td>
              <Table.Td ta="end">
                {keys.map((key) => (
                  <Kbd key={key} ml={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function isTyping(target: EventTarget | null) {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function isInDialogue() {
  return document.querySelector("[aria-modal='true']") !== null;
}
