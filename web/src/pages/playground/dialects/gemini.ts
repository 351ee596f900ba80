// generateContent in Google's own dialect: it has what OpenAI's has no place for, such as pictures in the answer.

import type { Answer, Chat, Dialect, Effort, Options, Picture, Piece, Tokens, Turn } from "../chat";

type Part = {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
};

type Event = {
  candidates?: { content?: { parts?: Part[] }; finishReason?: string }[];
  promptFeedback?: { blockReason?: string };
  usageMetadata?: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number };
  error?: { code?: number; message?: string };
};

/** How many tokens a model may think with, as Google maps OpenAI's words. */
const budgets: Record<Effort, number> = { low: 1024, medium: 8192, high: 24_576 };

export const gemini: Dialect = {
  call: (chat) => ({
    path: `v1beta/models/${bareModel(chat.options.model)}:streamGenerateContent?alt=sse`,
    body: bodyOf(chat),
  }),
  read: (event) => pieceOf(event as Event),
};

/** A model as Google names it. */
export function bareModel(model: string): string {
  return model.replace(/^google\//, "");
}

function bodyOf({ turns, options }: Chat) {
  const config = configOf(options);
  return {
    ...(options.system && { systemInstruction: { parts: [{ text: options.system }] } }),
    contents: turns.flatMap((turn) => contentsOf(turn, options.model)),
    ...(Object.keys(config).length > 0 && { generationConfig: config }),
  };
}

export function configOf({ model, temperature, topP, maxTokens, effort }: Options) {
  return {
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { topP }),
    ...(maxTokens !== null && { maxOutputTokens: maxTokens }),
    ...(effort !== null && { thinkingConfig: { includeThoughts: true, thinkingBudget: budgets[effort] } }),
    ...(/\bimage\b/.test(model) && { responseModalities: ["TEXT", "IMAGE"] }),
  };
}

function contentsOf({ text, pictures, answer }: Turn, model: string) {
  const asked = { role: "user", parts: [...(text ? [{ text }] : []), ...pictures.map(({ uri }) => inline(uri))] };
  const parts = answer ? answerParts(answer, answer.model === model) : [];
  return parts.length > 0 ? [asked, { role: "model", parts }] : [asked];
}

/** Signatures are good for the model that made them. */
function answerParts({ text, signature, pictures }: Answer, isSameModel: boolean): Part[] {
  const signed = (part: Part, by?: string) => (isSameModel && by ? { ...part, thoughtSignature: by } : part);
  return [
    ...(text ? [signed({ text }, signature)] : []),
    ...pictures.map((picture) => signed(inline(picture.uri), picture.signature)),
  ];
}

function inline(uri: string): Part {
  const [, mimeType = "", data = ""] = uri.match(/^data:([^;,]*);base64,(.*)$/s) ?? [];
  return { inlineData: { mimeType, data } };
}

function pieceOf({ candidates, promptFeedback, usageMetadata, error }: Event): Piece {
  if (error) return { failure: { status: error.code ?? 0, message: error.message ?? "" } };
  const { content, finishReason } = candidates?.[0] ?? {};
  const finish = finishReason ?? promptFeedback?.blockReason;
  const parts = content?.parts ?? [];
  const joined = (isThought: boolean) =>
    parts.map(({ text = "", thought = false }) => (thought === isThought ? text : "")).join("");
  const pictures = parts.flatMap(pictureOf);
  const signature = parts.find((part) => part.thoughtSignature && !part.inlineData)?.thoughtSignature;
  return {
    ...(joined(false) && { text: joined(false) }),
    ...(joined(true) && { reasoning: joined(true) }),
    ...(pictures.length > 0 && { pictures }),
    ...(signature && { signature }),
    ...(finish && { finish }),
    ...(usageMetadata && { tokens: tokensOf(usageMetadata) }),
  };
}

/** A picture that is part of the answer: those that the model drew while it thought are not. */
function pictureOf({ inlineData, thought, thoughtSignature }: Part): Picture[] {
  if (!inlineData || thought || !inlineData.mimeType.startsWith("image/")) return [];
  const uri = `data:${inlineData.mimeType};base64,${inlineData.data}`;
  return [{ uri, ...(thoughtSignature && { signature: thoughtSignature }) }];
}

function tokensOf(usage: NonNullable<Event["usageMetadata"]>): Tokens {
  const reasoning = usage.thoughtsTokenCount ?? 0;
  return { prompt: usage.promptTokenCount ?? 0, output: (usage.candidatesTokenCount ?? 0) + reasoning, reasoning };
}
