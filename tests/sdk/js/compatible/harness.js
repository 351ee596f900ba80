// keymux in front of stand-ins for all providers, for SDKs that speak OpenAI's dialect, and what differs between those
// providers. A test is written once and runs for each of them; the processes themselves are `../programs.js`.

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { beforeEach } from 'node:test';
import OpenAI from 'openai';
import { CLIENT_KEY, Control, folder, Program, start, startWith } from '../programs.js';

export { eventually } from '../programs.js';

/** The providers: names, models as callers name them, and what their models can do. */
export const PROVIDERS = [
  {
    name: 'google',
    kind: 'gemini',
    standIn: 'gemini',
    chat: 'google/gemini-3.8-flash',
    embedder: 'google/gemini-embedding-001',
    dimensions: 3072,
  },
  {
    name: 'xai',
    kind: 'openai',
    standIn: 'xai',
    chat: 'xai/grok-4.7',
    embedder: 'xai/grok-embedding-1',
    dimensions: 1024,
  },
  {
    name: 'perplexity',
    kind: 'perplexity',
    standIn: 'perplexity',
    chat: 'perplexity/sonar',
    embedder: 'perplexity/pplx-embed-v1-0.6b',
    dimensions: 1024,
    // What it adds to the text of an answer: marks of the search results.
    marks: '[1][2]',
    path: '/responses',
    eventsToText: 8,
  },
  {
    name: 'gigachat',
    kind: 'gigachat',
    standIn: 'gigachat',
    chat: 'gigachat/GigaChat-2-Pro',
    embedder: 'gigachat/Embeddings',
    dimensions: 1024,
    callsInParallel: false,
  },
  {
    name: 'local',
    kind: 'openai',
    standIn: 'openai',
    chat: 'local/gpt-6-luna',
    embedder: 'local/text-embedding-3-small',
    dimensions: 1536,
  },
].map((provider) => ({ marks: '', callsInParallel: true, path: 'chat/completions', eventsToText: 3, ...provider }));

/** The stand-ins for all providers in one process; its `url` is their base URLs by name. */
class Upstreams extends Program {
  static heard(log) {
    const found = [...log.matchAll(/(\w+) listens on (https?:\/\/\S+)\n/g)];
    return found.length === PROVIDERS.length && Object.fromEntries(found.map(([, name, url]) => [name, url]));
  }
}

const home = await folder();
const caFile = join(home, 'ca.pem');
const flags = ['--all', '--listen', '127.0.0.1:0', '--record', '--ca-file', caFile];
const { url: urls } = await start(Upstreams, 'FAKE_UPSTREAM_BIN', 'fake-upstream', flags, home);
const ca = await readFile(caFile);

/** As `fetch`, trusting the stand-ins' own certificate authority. */
function fetchTrusting(url, { method, body }) {
  return new Promise((done, failed) => {
    const sent = request(url, { method, ca }, async (answer) => {
      const chunks = await answer.toArray();
      done(new Response(Buffer.concat(chunks), { status: answer.statusCode }));
    });
    sent.on('error', failed).end(body);
  });
}

/** What stands in for each provider, by the provider's name. */
export const upstreams = Object.fromEntries(
  PROVIDERS.map(({ name, standIn }) => {
    const { protocol, origin } = new URL(urls[standIn]);
    return [name, new Control(origin, protocol === 'https:' ? fetchTrusting : fetch)];
  }),
);

let names = 0;
/** A key that the stand-in knows and no other test does; `fault` is what is wrong with it. */
export async function freshKey(provider, fault = {}) {
  const name = `${provider.name}-${names++}`;
  // GigaChat's authorization key is Base64 of id and secret.
  const key = provider.kind === 'gigachat' ? Buffer.from(`giga:${name}`).toString('base64') : name;
  await upstreams[provider.name].setKeys({ ...fault, key });
  return key;
}

/**
 * Starts a keymux; `keys` are those of each provider by its name, in the order in which they are tried.
 *
 * It asks for no models by itself unless told how often: each request is a test's.
 */
export function startKeymux(keys, { models_refresh = '0s', ...settings } = {}) {
  const configs = PROVIDERS.filter(({ name }) => name in keys).map(({ name, kind, standIn }) => {
    const pool = keys[name].map((key, priority) => ({ key, priority }));
    const giga = { token_url: `${upstreams[name].origin}/api/v2/oauth`, ca_file: caFile };
    return [name, { kind, base_url: urls[standIn], keys: pool, models_refresh, ...(kind === 'gigachat' && giga) }];
  });
  return startWith(Object.fromEntries(configs), settings);
}

const working = {};
for (const provider of PROVIDERS) working[provider.name] = [await freshKey(provider)];
/** The keymux for the tests that use it as it comes: all its keys work. */
export const pooled = await startKeymux(working, { models_refresh: '1h' });
// It is answered once keymux has asked the providers, which then belongs to no test.
await connect().models.list();

beforeEach(async () => {
  for (const upstream of Object.values(upstreams)) await upstream.forget();
});

/** A client of the SDK. */
export function connect({ keymux = pooled, key = CLIENT_KEY, ...options } = {}) {
  return new OpenAI({ apiKey: key, baseURL: `${keymux.url}/v1`, maxRetries: 0, ...options });
}

export const asked = (content) => [{ role: 'user', content }];
export const SAY_HELLO = asked('Say hello');
export const said = (provider, text = 'Say hello') => `You said: ${text}${provider.marks}`;

/** All that a stream says. */
export const textOf = (chunks) =>
  chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? '')).join('');

/** The chunks of a stream. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

/** The two ways to ask, for what holds for both. */
export const WAYS = {
  whole: async (client, model, more) => {
    const answer = await client.chat.completions.create({ model, messages: SAY_HELLO, ...more });
    return answer.choices[0].message.content;
  },
  stream: async (client, model, more) =>
    textOf(await collect(client.chat.completions.create({ model, messages: SAY_HELLO, stream: true, ...more }))),
};
