// keymux in front of fake-upstream: two child processes, and the talk with each of them.
//
// The tests see keymux only through Google's SDK. What the provider saw, and what it is to do, goes through the control
// interface of fake-upstream (its `src/control.rs` says what there is). Every test file is a process of its own with a
// fake-upstream of its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, beforeEach } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { GoogleGenAI } from '@google/genai';

export const CLIENT_KEY = 'sk-sdk-caller-0001';
export const MODEL = 'gemini-3.8-flash';
// Of one project, so that a file that one of them brought can be used with all of them.
export const PROJECT = 'team-a';
export const POOL = ['AIza-pool-0', 'AIza-pool-1', 'AIza-pool-2'];
const PATIENCE_MS = 20_000;

/** What `look` gives, once that is something. */
export async function eventually(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what}: not within ${PATIENCE_MS} ms`);
    await pause(10);
  }
}

/** A child process that says on its standard output where it listens. */
class Program {
  static async start(variable, name, args, folder) {
    const built = join(import.meta.dirname, '../../../target/debug', name);
    const program = new this();
    let log = '';
    // An environment of its own, so that keys and settings of the developer's stay out of the tests.
    program.child = spawn(resolve(process.env[variable] ?? built), args, { cwd: folder, env: {} });
    program.ended = new Promise((done) => program.child.once('exit', done).once('error', done));
    const listens = new Promise((done) => {
      const hear = (said) => {
        log += said;
        const found = /(?:listens|is ready) on (http:\S+)\n/.exec(log);
        if (found) done(found[1]);
      };
      program.child.stdout.setEncoding('utf8').on('data', hear);
      program.child.stderr.setEncoding('utf8').on('data', hear);
    });
    const failed = program.ended.then((why) => assert.fail(`${name} ended (${why}):\n${log}`));
    program.url = await Promise.race([listens, failed]);
    // From here on it ends when it is told to.
    failed.catch(() => {});
    return program;
  }

  async stop() {
    this.child.kill();
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(overdue);
  }
}

/** The stand-in for Google. It writes down every request. */
class Upstream extends Program {
  /** Lists keys; what was known of them is replaced. */
  setKeys(...keys) {
    return this.#steer('PUT', 'keys', keys);
  }

  addRules(...rules) {
    return this.#steer('POST', 'rules', rules);
  }

  /** Drops rules and recorded requests. */
  async forget() {
    await this.#steer('DELETE', 'rules');
    await this.#steer('DELETE', 'seen');
  }

  seen() {
    return this.#steer('GET', 'seen');
  }

  async #steer(method, what, body) {
    const answer = await fetch(`${this.url}/_fake/${what}`, { method, body: body && JSON.stringify(body) });
    assert.equal(answer.status, 200);
    return answer.json();
  }
}

/** What is to be done when the tests of the file are over, last things first. */
const stops = [];
let names = 0;

after(async () => {
  for (const stop of stops.reverse()) await stop();
});
beforeEach(async () => {
  await upstream.forget();
  await upstream.setKeys(...POOL.map((key) => ({ key, project: PROJECT })));
});
// Both would lead the SDK elsewhere.
for (const name of Object.keys(process.env)) {
  if (/^(GOOGLE|GEMINI)_|_proxy$/i.test(name)) delete process.env[name];
}

/** A folder that is gone after the tests. */
export async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'keymux-sdk-'));
  stops.push(() => rm(path, { recursive: true }));
  return path;
}

async function start(kind, ...how) {
  const program = await kind.start(...how);
  stops.push(() => program.stop());
  return program;
}

/** A keymux with these provider keys, as the configuration takes them. */
async function startWith(keys, settings) {
  const home = await folder();
  const config = {
    server: { listen: '127.0.0.1:0', data_dir: join(home, 'data') },
    admin: { password: 'correct-horse-battery' },
    clients: [{ name: 'sdk', key: CLIENT_KEY }],
    providers: { google: { kind: 'gemini', base_url: upstream.url, keys } },
    ...settings,
  };
  // YAML takes JSON as it is.
  const file = join(home, 'keymux.yaml');
  await writeFile(file, JSON.stringify(config));
  return start(Program, 'KEYMUX_BIN', 'keymux', ['--config', file], home);
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
  const keymux = await startWith(pool, settings);
  keymux.keys = keys.map(({ key }) => key);
  return keymux;
}

export const upstream = await start(
  Upstream,
  'FAKE_UPSTREAM_BIN',
  'fake-upstream',
  ['--listen', '127.0.0.1:0', '--record'],
  await folder(),
);
/** The keymux for the tests that use it as it comes: all its keys work. */
export const pooled = await startWith(POOL.map((key) => ({ key, project: PROJECT })));

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
