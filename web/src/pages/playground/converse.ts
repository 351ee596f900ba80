// Asks a model as any caller of keymux does: with a client key, and never with the session of the dashboard.

import { address } from "@/api/client";
import type { Chat, Failure, Figures, Piece } from "./chat";
import { dialects } from "./dialects";
import { eventsOf } from "./sse";

/** Why an answer did not come, or not to its end. */
export class CallError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

type Heard = { onHead: (figures: Figures) => void; onPiece: (piece: Piece) => void };

/** Streams the answer to a chat; throws a CallError, or the abortion of `signal`. */
export async function converse(chat: Chat, key: string | null, signal: AbortSignal, { onHead, onPiece }: Heard) {
  const dialect = dialects[chat.options.dialect];
  const { path, body } = dialect.call(chat);
  const response = await call(path, key, { method: "POST", body: JSON.stringify(body), signal });
  onHead(headOf(response.headers));
  if (!response.ok || !response.body) throw new CallError(await failureOf(response));
  let hasEnded = false;
  for await (const data of readable(eventsOf(response.body))) {
    if (data === "[DONE]") break;
    const piece = dialect.read(parsed(data) ?? {});
    if (piece.failure) throw new CallError(piece.failure);
    hasEnded ||= piece.finish !== undefined;
    onPiece(piece);
  }
  if (!hasEnded) onPiece({ finish: cutOff });
}

/** How an answer ended that has no end of its own. */
export const cutOff = "cut_off";

/** A call to keymux with a client key, or without any. */
export async function call(path: string, key: string | null, init: RequestInit): Promise<Response> {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  try {
    return await fetch(address(path), { ...init, headers, credentials: "omit" });
  } catch (error) {
    throw broken(error);
  }
}

/** What an answer that is none says. */
export async function failureOf(response: Response): Promise<Failure> {
  const text = await response.text();
  const body = parsed(text) as Said | Said[] | null;
  const message = (Array.isArray(body) ? body[0] : body)?.error?.message;
  const seconds = Number(response.headers.get("retry-after"));
  return {
    status: response.status,
    message: message ?? `${response.status} ${response.statusText}`.trim(),
    ...(seconds > 0 && { retryAfter: seconds }),
  };
}

type Said = { error?: { message?: string } };

function headOf(headers: Headers): Figures {
  const [requestId, provider, key, attempts] = ["request-id", "provider", "key", "attempts"].map((name) =>
    headers.get(`x-keymux-${name}`),
  );
  return {
    ...(requestId && { requestId }),
    ...(provider && { provider }),
    ...(key && { key }),
    ...(attempts && { attempts: Number(attempts) }),
  };
}

/** The events; a connection that breaks is a failure like others. */
async function* readable(events: AsyncGenerator<string>) {
  try {
    yield* events;
  } catch (error) {
    throw broken(error);
  }
}

function broken(error: unknown): unknown {
  const isOurs = error instanceof DOMException && error.name === "AbortError";
  return isOurs ? error : new CallError({ status: 0, message: error instanceof Error ? error.message : String(error) });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
