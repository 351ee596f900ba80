// A request as a command that asks the same again. It holds no secret: the client key is a variable of the shell's.

import { shell } from "@/components/snippets";
import type { Detail } from "./requests";

type Asked = Pick<Detail, "dialect" | "endpoint" | "model" | "provider" | "stream" | "request_body">;

/** The command; null for what is no call of a model, or takes a file. */
export function curlOf(request: Asked, home: URL): string | null {
  const path = pathOf(request);
  if (!path) return null;
  const body = request.request_body?.truncated ? undefined : request.request_body?.text;
  const lines = [
    `curl ${shell(home.href + path)}`,
    `-H "Authorization: Bearer $KEYMUX_CLIENT_KEY"`,
    "-H 'Content-Type: application/json'",
    `-d ${shell(body ?? JSON.stringify(exampleOf(request)))}`,
  ];
  return lines.join(" \\\n  ");
}

const paths: { [endpoint: string]: string } = {
  "gemini-proxy": "gemini-proxy",
  "generate-text": "api/v1/chat/generate-text",
  "chat.completions": "v1/chat/completions",
};

function pathOf({ dialect, endpoint, model, stream }: Asked): string | undefined {
  const isOfModel = dialect === "gemini" && model && /generatecontent$/i.test(endpoint);
  return isOfModel ? `v1beta/models/${model}:${endpoint}${stream ? "?alt=sse" : ""}` : paths[endpoint];
}

/** Where what was sent is not kept: the same call with a prompt to fill in. */
function exampleOf({ dialect, endpoint, model, provider, stream }: Asked): object {
  if (dialect === "gemini") return { contents: [{ parts: [{ text: "…" }] }] };
  if (dialect === "simple") return endpoint === "generate-text" ? { message: "…", model } : { prompt: "…", model };
  const named = provider && model ? `${provider}/${model}` : model;
  return { model: named, messages: [{ role: "user", content: "…" }], ...(stream ? { stream } : {}) };
}
