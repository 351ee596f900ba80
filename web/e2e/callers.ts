// What callers do at Google's API beyond asking a model: they make things that belong to a project, and use them.

import { clientKey, type Gateway } from "./gateway.ts";

/** Uploads a file in one go; gives its name. */
export async function upload(gateway: Gateway, key = clientKey): Promise<string> {
  const headers = { "x-goog-upload-protocol": "raw", "content-type": "text/plain" };
  const { file } = (await made(gateway, "/upload/v1beta/files", key, headers, "a few words")) as { file: Named };
  return file.name;
}

/** Makes a context cache of a text; gives its name. */
export async function cache(gateway: Gateway, model: string, text: string, key = clientKey): Promise<string> {
  const body = { model: `models/${model}`, ttl: "600s", contents: [{ role: "user", parts: [{ text }] }] };
  const headers = { "content-type": "application/json" };
  const { name } = (await made(gateway, "/v1beta/cachedContents", key, headers, JSON.stringify(body))) as Named;
  return name;
}

/** Looks for something by its name; gives the status. */
export async function look(gateway: Gateway, name: string, key = clientKey): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1beta/${name}`, { headers: { "x-goog-api-key": key } });
  await answer.text();
  return answer.status;
}

type Named = { name: string };

async function made(gateway: Gateway, path: string, key: string, headers: Record<string, string>, body: string) {
  const answer = await fetch(gateway.url + path, {
    method: "POST",
    headers: { "x-goog-api-key": key, ...headers },
    body,
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
