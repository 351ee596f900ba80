// What a conversation is made of. Nothing here knows how it is shown, or in which dialect it is sent.

export type Picture = {
  /** A `data:` address. */
  uri: string;
  /** What the model signed it with: some want it back with the next question. */
  signature?: string;
};

export type Tokens = { prompt: number; output: number; reasoning: number };

/** What is known about how an answer came. */
export type Figures = {
  requestId?: string;
  provider?: string;
  /** The provider's key that answered, by its label or id. */
  key?: string;
  attempts?: number;
  firstTokenMs?: number;
  tookMs?: number;
  tokens?: Tokens;
  /** Why the model ended, in the provider's word. */
  finish?: string;
};

export type Failure = {
  /** The status; 0: no answer came. */
  status: number;
  message: string;
  /** Seconds after which it is worth trying again. */
  retryAfter?: number;
};

export type Answer = {
  state: "running" | "done" | "stopped" | "failed";
  model: string;
  text: string;
  reasoning: string;
  pictures: Picture[];
  /** What the model signed its text with. */
  signature?: string;
  failure?: Failure;
  figures: Figures;
};

/** A question and what was answered. */
export type Turn = { id: string; text: string; pictures: Picture[]; answer?: Answer };

export const efforts = ["low", "medium", "high"] as const;
export type Effort = (typeof efforts)[number];

/** How to ask. What is null is left to the model. */
export type Options = {
  model: string;
  dialect: "openai" | "gemini";
  system: string;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  effort: Effort | null;
};

/** All that is sent. */
export type Chat = { turns: Turn[]; options: Options };

/** A part of an answer, as a stream brings it. */
export type Piece = {
  text?: string;
  reasoning?: string;
  pictures?: Picture[];
  signature?: string;
  tokens?: Tokens;
  finish?: string;
  failure?: Failure;
};

/** A way to ask a model. */
export type Dialect = {
  /** What is sent, and where to, below the address of keymux. */
  call(chat: Chat): { path: string; body: object };
  /** What an event of the stream brings. */
  read(event: unknown): Piece;
};

export function emptyAnswer(model: string): Answer {
  return { state: "running", model, text: "", reasoning: "", pictures: [], figures: {} };
}

/** The answer with one more piece. */
export function withPiece(answer: Answer, piece: Piece): Answer {
  const { tokens = answer.figures.tokens, finish = answer.figures.finish } = piece;
  return {
    ...answer,
    text: answer.text + (piece.text ?? ""),
    reasoning: answer.reasoning + (piece.reasoning ?? ""),
    pictures: piece.pictures ? [...answer.pictures, ...piece.pictures] : answer.pictures,
    ...(piece.signature && { signature: piece.signature }),
    figures: { ...answer.figures, ...(tokens && { tokens }), ...(finish && { finish }) },
  };
}

/** Whether anything has come that can be read or looked at. */
export function hasContent({ text, reasoning, pictures }: Piece): boolean {
  return Boolean(text || reasoning || pictures?.length);
}
