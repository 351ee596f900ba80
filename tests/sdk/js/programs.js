// Child processes, and the folders they live in: keymux, fake-upstream, and the control interface of the latter (its
// `src/control.rs` says what there is). Which of them a test file needs is `harness.js` and `compatible/harness.js`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

export const CLIENT_KEY = 'sk-sdk-caller-0001';
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
export class Program {
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
        const found = this.heard(log);
        if (found) done(found);
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

  /** The address in what it has said so far, once it is there. */
  static heard(log) {
    return /(?:listens|is ready) on (http:\S+)\n/.exec(log)?.[1];
  }

  async stop() {
    this.child.kill();
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(overdue);
  }
}

/** The control interface of one stand-in, which writes down every request. `send` is a `fetch` that reaches it. */
export class Control {
  constructor(origin, send = fetch) {
    this.origin = origin;
    this.send = send;
  }

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
    const answer = await this.send(`${this.origin}/_fake/${what}`, { method, body: body && JSON.stringify(body) });
    assert.equal(answer.status, 200);
    return answer.json();
  }
}

/** What is to be done when the tests of the file are over, last things first. */
const stops = [];

after(async () => {
  for (const stop of stops.reverse()) await stop();
});
// They would lead the SDKs elsewhere.
for (const name of Object.keys(process.env)) {
  if (/^(GOOGLE|GEMINI|OPENAI)_|_proxy$/i.test(name)) delete process.env[name];
}

/** A folder that is gone after the tests. */
export async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'keymux-sdk-'));
  stops.push(() => rm(path, { recursive: true }));
  return path;
}

/** Starts a program that ends after the tests. */
export async function start(kind, ...how) {
  const program = await kind.start(...how);
  stops.push(() => program.stop());
  return program;
}

/** A keymux with these providers, as the configuration takes them. */
export async function startWith(providers, settings) {
  const home = await folder();
  const config = {
    server: { listen: '127.0.0.1:0', data_dir: join(home, 'data') },
    admin: { password: 'correct-horse-battery' },
    clients: [{ name: 'sdk', key: CLIENT_KEY }],
    // Each request that a stand-in sees is a test's.
    health_checks: { enabled: false },
    providers,
    ...settings,
  };
  // YAML takes JSON as it is.
  const file = join(home, 'keymux.yaml');
  await writeFile(file, JSON.stringify(config));
  return startAt(home);
}

/** Kills a keymux, and starts it again where it was. */
export async function restart(keymux) {
  keymux.child.kill('SIGKILL');
  await keymux.ended;
  return startAt(keymux.home);
}

async function startAt(home) {
  const args = ['--config', join(home, 'keymux.yaml')];
  const keymux = await start(Program, 'KEYMUX_BIN', 'keymux', args, home);
  keymux.home = home;
  return keymux;
}
