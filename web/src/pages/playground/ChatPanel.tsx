// The chat itself: the model, what was said, the next question, and beside them how to ask.

import { ActionIcon, Alert, Anchor, Button, Drawer, Tooltip } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconAdjustmentsHorizontal, IconCode, IconEraser } from "@tabler/icons-react";
import { Trans, useTranslation } from "react-i18next";
import { Link } from "react-router";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState } from "@/components/states";
import { useNotify } from "@/components/useNotify";
import type { Access, Model } from "./access";
import { ClientKey } from "./ClientKey";
import { CodeDialog } from "./CodeDialog";
import { Composer } from "./Composer";
import type { Options, Turn } from "./chat";
import { isGoogles, ModelPicker } from "./ModelPicker";
import { OptionsForm } from "./OptionsForm";
import classes from "./playground.module.css";
import { Transcript } from "./Transcript";
import { isAnswered, useConversation } from "./useConversation";
import { useKept } from "./useKept";

const first: Options = {
  model: "",
  dialect: "gemini",
  system: "",
  temperature: null,
  topP: null,
  maxTokens: null,
  effort: null,
};

type ChatPanelProps = { access: Access; models: Model[]; onForget: () => void };

export function ChatPanel({ access, models, onForget }: ChatPanelProps) {
  const { t } = useTranslation("playground");
  const notify = useNotify();
  const [chosen, setOptions] = useKept("options", first);
  const model = chosen.model || models[0]?.id || "";
  const options: Options = { ...chosen, model, dialect: isGoogles(models, model) ? chosen.dialect : "openai" };
  const change = (some: Partial<Options>) => setOptions((before) => ({ ...before, ...some }));
  const conversation = useConversation(access.key, options);
  const { turns, isRunning } = conversation;
  const [draft, setDraft] = useKept("draft", "");
  const isNarrow = useMediaQuery("(max-width: 62em)");
  const [isOptionsOpen, drawer] = useDisclosure(false);
  const [isCodeOpen, code] = useDisclosure(false);

  const clear = () => {
    conversation.clear();
    notify.undoable(t("cleared"), async () => conversation.restore(turns));
  };
  const aside = (
    <>
      <OptionsForm options={options} onChange={change} />
      <ClientKey access={access} onForget={onForget} />
    </>
  );
  return (
    <div className={classes.page}>
      <PageHeader
        title={t("title")}
        lead={t("lead")}
        actions={
          <>
            <Button variant="default" leftSection={<IconCode size={16} />} onClick={code.open}>
              {t("code.action")}
            </Button>
            <Button
              variant="default"
              leftSection={<IconEraser size={16} />}
              onClick={clear}
              disabled={turns.length === 0}
            >
              {t("clear")}
            </Button>
          </>
        }
      />
      <div className={classes.columns}>
        <section className={classes.chat} aria-label={t("chat")}>
          <header className={classes.head}>
            <ModelPicker models={models} options={options} onChange={change} />
            {isNarrow && (
              <Tooltip label={t("options")}>
                <ActionIcon variant="default" size="lg" aria-label={t("options")} onClick={drawer.open}>
                  <IconAdjustmentsHorizontal size={18} />
                </ActionIcon>
              </Tooltip>
            )}
          </header>
          {models.length === 0 && (
            <Alert color="yellow" variant="light" m="sm">
              <Trans t={t} i18nKey="noModels" components={{ a: <Anchor component={Link} to="/keys" inherit /> }} />
            </Alert>
          )}
          {turns.length === 0 ? (
            <div className={classes.nothing}>
              <EmptyState title={t("empty")}>{t("emptyText")}</EmptyState>
            </div>
          ) : (
            <Transcript conversation={conversation} />
          )}
          <Composer
            isRunning={isRunning}
            isReady={model !== ""}
            draft={draft}
            onDraft={setDraft}
            onSend={(text, pictures) => void conversation.send(text, pictures)}
            onStop={conversation.stop}
          />
        </section>
        {isNarrow ? (
          <Drawer
            opened={isOptionsOpen}
            onClose={drawer.close}
            title={t("options")}
            closeButtonProps={{ "aria-label": t("common:close") }}
          >
            {aside}
          </Drawer>
        ) : (
          <Panel title={t("options")} className={classes.aside}>
            {aside}
          </Panel>
        )}
      </div>
      <CodeDialog opened={isCodeOpen} onClose={code.close} chat={{ turns: toSend(turns, draft), options }} />
    </div>
  );
}

/** What would be sent: with the draft, or the last question again. */
function toSend(turns: Turn[], draft: string): Turn[] {
  const text = draft.trim() || (turns.length === 0 ? "Say hello" : "");
  if (text) return [...turns.filter(isAnswered), { id: "", text, pictures: [] }];
  const { answer: _, ...last } = turns.at(-1) as Turn;
  return [...turns.slice(0, -1).filter(isAnswered), last];
}
