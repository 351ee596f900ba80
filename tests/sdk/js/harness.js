// keymux in front of a stand-in for Google, for the tests of Google's SDK; the processes themselves are `programs.js`.
//
// The tests see keymux only through the SDK. Every test file is a process of its own with a fake-upstream of its own.

import { beforeEach } from 'node:test';
import { GoogleGenAI } from '@google/genai';
import { CLIENT_KEY, Control, folder, Program, start, startWith } from './programs.js';

export { CLIENT_KEY, eventually, folder, restart, startWith } from './programs.js';
export const MODEL = 'gemini-3.8-flash';
// Of one project, so that a file that one of them brought can be used with all of them.
export const PROJECT = 'team-a';
export const POOL = ['AIza-pool-0', 'AIza-pool-1', 'AIza-pool-2'];
let names = 0;

beforeEach(async () => {
  await upstream.forget();
  await upstream.setKeys(...POOL.map((key) => ({ key, project: PROJECT })));
});

/** The providers of a keymux with these keys of Google's. It asks for no models by itself: each request is a test's. */
export function google(keys) {
  return { google: { kind: 'gemini', base_url: upstream.origin, keys, models_refresh: '0s' } };
}

/**
 * Starts a keymux of the test's own.
 *
 * It tries `first`, keys as fake-upstream lists them, before the one key that works. All of them are unknown to other
 * tests, so that no quota is used up yet.
 */
export async function startKeymux({ first = [], spare = true, ...settings } = {}) {
  const name = `AIza-${names++}`;
  const keys = first.map((fault, n) => ({ ...fault, key: `${name}-first-${n}` }));
  const pool = keys.map(({ key }) => ({ key, priority: 0 }));
  if (spare) {
    keys.push({ key: `${name}-spare` });
    pool.push({ key: `${name}-spare`, priority: 1 });
  }
  await upstream.setKeys(...keys);
  const keymux = await startWith(google(pool), settings);
  keymux.keys = keys.map(({ key }) => key);
  return keymux;
}

const standIn = await start(
  Program,
  'FAKE_UPSTREAM_BIN',
  'fake-upstream',
  ['--listen', '127.0.0.1:0', '--record'],
  await folder(),
);
/** The stand-in for Google. */
export const upstream = new Control(standIn.url);
/** The keymux for the tests that use it as it comes: all its keys work. */
export const pooled = await startWith(google(POOL.map((key) => ({ key, project: PROJECT }))));

/** A client of the SDK. */
export function connect({ keymux = pooled, key = CLIENT_KEY, ...httpOptions } = {}) {
  return new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: keymux.url, ...httpOptions } });
}

/** All that a stream says. */
export async function text(stream) {
  let said = '';
  for await (const chunk of await stream) said += chunk.text ?? '';
  return said;
}

const HELLO = { model: MODEL, contents: 'Say hello' };

/** The two ways to ask, for what holds for both. */
export const WAYS = {
  generate: async (client, more) => (await client.models.generateContent({ ...HELLO, ...more })).text,
  stream: (client, more) => text(client.models.generateContentStream({ ...HELLO, ...more })),
};
