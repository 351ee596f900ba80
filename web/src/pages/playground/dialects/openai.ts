// Chat completions in OpenAI's dialect, which every provider's models answer in.

import type { Chat, Dialect, Piece, Tokens, Turn } from "../chat";

type Usage = {
  prompt_tokens?: number;
  completion_tokens?: number;
  total_tokens?: number;
  completion_tokens_details?: { reasoning_tokens?: number } | null;
};

type Event = {
  choices?: {
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      reasoning?: string | null;
      images?: { image_url?: { url?: string } }[];
    };
    finish_reason?: string | null;
  }[];
  usage?: Usage | null;
  error?: { message?: string; code?: unknown };
};

export const openai: Dialect = {
  call: (chat) => ({ path: "v1/chat/completions", body: bodyOf(chat) }),
  read: (event) => pieceOf(event as Event),
};

function bodyOf({ turns, options }: Chat) {
  const { model, system, temperature, topP, maxTokens, effort } = options;
  return {
    model,
    messages: [...(system ? [{ role: "system", content: system }] : []), ...turns.flatMap(messagesOf)],
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(maxTokens !== null && { max_tokens: maxTokens }),
    ...(effort !== null && { reasoning_effort: effort }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function messagesOf({ text, pictures, answer }: Turn) {
  const images = pictures.map(({ uri }) => ({ type: "image_url", image_url: { url: uri } }));
  const content = images.length > 0 ? [...(text ? [{ type: "text", text }] : []), ...images] : text;
  const question = { role: "user", content };
  return answer?.text ? [question, { role: "assistant", content: answer.text }] : [question];
}

function pieceOf({ choices, usage, error }: Event): Piece {
  if (error) return { failure: { status: Number(error.code) || 0, message: error.message ?? "" } };
  const { delta, finish_reason } = choices?.[0] ?? {};
  const reasoning = delta?.reasoning_content ?? delta?.reasoning;
  const pictures = delta?.images?.flatMap(({ image_url }) => (image_url?.url ? [{ uri: image_url.url }] : []));
  return {
    ...(delta?.content && { text: delta.content }),
    ...(reasoning && { reasoning }),
    ...(pictures?.length && { pictures }),
    ...(finish_reason && { finish: finish_reason }),
    ...(usage && { tokens: tokensOf(usage) }),
  };
}

/** Some providers count reasoning within the output, others beside it: the total tells which. */
function tokensOf(usage: Usage): Tokens {
  const { prompt_tokens: prompt = 0, completion_tokens: said = 0 } = usage;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  const isBeside = usage.total_tokens === prompt + said + reasoning;
  return { prompt, output: isBeside ? said + reasoning : said, reasoning };
}
