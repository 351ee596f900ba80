// How keymux is called from programs, at the address that this browser sees it at.

import type { Snippet } from "./CodeSnippet";
import { javascript, literal, pythonArguments } from "./literals";

type Call = {
  /** Where keymux is; ends with a slash. */
  home: URL;
  model: string;
  /** The client key; left out, a word that stands for one. */
  key?: string;
  prompt?: string;
};

/** What stands for a client key. */
export const anyKey = "sk-…";

/** A chat in OpenAI's dialect, which every provider's models answer in. */
export function snippetsOf({ home, model, key, prompt = "Say hello" }: Call): Snippet[] {
  const body = { model, messages: [{ role: "user", content: prompt }] };
  return chatSnippets(home, body, key);
}

/** A chat with this very body; `stream` in it makes programs print the answer as it comes. */
export function chatSnippets(home: URL, body: object & { stream?: boolean }, key = anyKey): Snippet[] {
  const base = `${home.href}v1`;
  const [k, b] = [key, base].map((text) => JSON.stringify(text));
  const answer = body.stream ? "stream" : "answer";
  return [
    {
      name: "curl",
      code: curl(`${base}/chat/completions`, `Authorization: Bearer ${key}`, body),
    },
    {
      name: "Python",
      code: [
        "from openai import OpenAI",
        "",
        `client = OpenAI(base_url=${b}, api_key=${k})`,
        `${answer} = client.chat.completions.create(`,
        ...pythonArguments(body),
        ")",
        ...(body.stream
          ? [
              "for chunk in stream:",
              "    for choice in chunk.choices:",
              '        print(choice.delta.content or "", end="", flush=True)',
            ]
          : ["print(answer.choices[0].message.content)"]),
      ].join("\n"),
    },
    {
      name: "JavaScript",
      code: [
        'import OpenAI from "openai";',
        "",
        `const client = new OpenAI({ baseURL: ${b}, apiKey: ${k} });`,
        `const ${answer} = await client.chat.completions.create(${literal(body, javascript, 0, 60)});`,
        body.stream
          ? 'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");'
          : "console.log(answer.choices[0].message.content);",
      ].join("\n"),
    },
  ];
}

/** Longer bodies are written with a member a line. */
const widest = 100;

/** A POST of JSON by curl. */
export function curl(url: string, credential: string, body: object): string {
  const short = JSON.stringify(body);
  const data = short.length > widest ? JSON.stringify(body, null, 2) : short;
  return [
    `curl ${shell(url)} \\`,
    `  -H ${shell(credential)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${shell(data)}`,
  ].join("\n");
}

/** A word of a shell's, whatever is in it. */
export function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
