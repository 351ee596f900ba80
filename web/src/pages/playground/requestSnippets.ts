// The request that the playground makes, as programs make it with OpenAI's and Google's libraries.

import type { Snippet } from "@/components/CodeSnippet";
import { Code, javascript, literal, pythonArguments } from "@/components/literals";
import { anyKey, chatSnippets, curl } from "@/components/snippets";
import type { Chat, Turn } from "./chat";
import { dialects } from "./dialects";
import { bareModel, configOf } from "./dialects/gemini";

/** The snippets; pictures are named, not written out. */
export function requestSnippets(home: URL, chat: Chat): Snippet[] {
  const short = { ...chat, turns: chat.turns.map(withShortPictures) };
  const { path, body } = dialects[chat.options.dialect].call(short);
  if (chat.options.dialect === "openai") return chatSnippets(home, body);
  const { contents } = body as { contents: object };
  const { system } = chat.options;
  const config = { ...(system && { systemInstruction: system }), ...configOf(chat.options) };
  const given = Object.keys(config).length > 0 && { config };
  const model = bareModel(chat.options.model);
  return [
    { name: "curl", code: curl(home.href + path, `x-goog-api-key: ${anyKey}`, body) },
    { name: "Python", code: googlePython(home, snake({ model, contents, ...given }) as object) },
    { name: "JavaScript", code: googleJavaScript(home, { model, contents, ...given }) },
  ];
}

function googlePython(home: URL, call: object): string {
  return [
    "from google import genai",
    "",
    "client = genai.Client(",
    ...pythonArguments({ api_key: anyKey, http_options: { base_url: home.href } }),
    ")",
    "stream = client.models.generate_content_stream(",
    ...pythonArguments(call),
    ")",
    "for chunk in stream:",
    '    print(chunk.text or "", end="", flush=True)',
  ].join("\n");
}

function googleJavaScript(home: URL, call: object): string {
  const client = literal({ apiKey: anyKey, httpOptions: { baseUrl: home.href } }, javascript, 0, 30);
  return [
    'import { GoogleGenAI } from "@google/genai";',
    "",
    `const client = new GoogleGenAI(${client});`,
    `const stream = await client.models.generateContentStream(${literal(call, javascript, 0, 60)});`,
    'for await (const chunk of stream) process.stdout.write(chunk.text ?? "");',
  ].join("\n");
}

const placeholder = "…";

function withShortPictures(turn: Turn): Turn {
  const short = (uri: string) => uri.replace(/^(data:[^,]*,).*$/s, `$1${placeholder}`);
  const shortened = <Of extends { uri: string }>(all: Of[]) => all.map((one) => ({ ...one, uri: short(one.uri) }));
  const { answer } = turn;
  return {
    ...turn,
    pictures: shortened(turn.pictures),
    ...(answer && { answer: { ...answer, pictures: shortened(answer.pictures) } }),
  };
}

/** Names as Python writes them; bytes of pictures, which its library takes as they are, are read from a file. */
function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name === "data" && member === placeholder ? new Code('open("picture", "rb").read()') : snake(member),
  ]);
  return Object.fromEntries(members);
}
