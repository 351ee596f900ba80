// keymux in front of fake-upstream, on free ports and in a folder of its own, until `stop` is called.
// The binaries are those of the debug build (KEYMUX_PROFILE says which other), or those that KEYMUX_BIN and FAKE_UPSTREAM_BIN
// name.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const target = join(import.meta.dirname, "../../target", process.env.KEYMUX_PROFILE ?? "debug");
const binaries = {
  keymux: process.env.KEYMUX_BIN ?? join(target, "keymux"),
  upstream: process.env.FAKE_UPSTREAM_BIN ?? join(target, "fake-upstream"),
};

export const password = "correct horse battery";
export const clientKey = "sk-e2e";

/** Keys that work: `AIza-e2e-good-0000` and so on. */
export const goodKeys = Array.from({ length: 400 }, (_, n) => `AIza-e2e-good-${String(n).padStart(4, "0")}`);

const script = {
  keys: [
    ...goodKeys.map((key) => ({ key, project: key })),
    { key: "AIza-e2e-throttled-1", project: "beta", limits: [{ model: "*", measure: "rpm", value: 1 }] },
    { key: "AIza-e2e-out-of-day", project: "gamma", limits: [{ model: "*", measure: "rpd", value: 2 }] },
    { key: "AIza-e2e-dead-0001", project: "delta", fault: "invalid" },
    { key: "AIza-e2e-leaked-01", project: "epsilon", fault: "leaked" },
  ],
};

/** What a test wants keymux to be started with beyond what is usual. */
export type Setup = {
  /** Fields of `server:`, such as `auth: open`. */
  server?: string;
  /** Outbound proxies to start, such as `["http", "socks5"]`. Only what goes to TLS leaves by them, so providers speak it then. */
  proxies?: string[];
  /** How the stand-in for Google behaves: rules, as crates/fake-upstream/src/control.rs describes them. */
  rules?: object[];
  /** More providers, by the address of something that speaks OpenAI's dialect. */
  providers?: (openai: string) => string;
  /** Makes a database in the folder of `data_dir` before keymux starts; gives the master key that it is sealed under. */
  database?: (folder: string) => string;
};

const config = (upstream: string, xai: string, { server, proxies = [], providers }: Setup) => {
  const ca = proxies.length > 0 ? ", ca_file: ca.pem" : "";
  return `
server: { listen: 127.0.0.1:0, data_dir: ./data, shutdown_grace: 1s${server ? `, ${server}` : ""} }
admin: { password: "${password}" }
clients:
  - { name: e2e, key: ${clientKey} }
providers:
  google: { kind: gemini, base_url: "${upstream}", default_model: gemini-2.5-flash, keys: []${ca} }
  xai: { kind: openai, base_url: "${xai}/v1", keys: []${ca} }
${providers?.(`${xai}/v1`) ?? ""}`;
};

export type Gateway = {
  /** Without a slash at the end. */
  url: string;
  /** The stand-in for Google: what it can be told is in crates/fake-upstream/src/control.rs. */
  upstream: string;
  /** Where the proxies of its setup are. */
  proxies: string[];
  stop: () => Promise<void>;
};

export async function startGateway(setup: Setup = {}): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), "keymux-e2e-"));
  const children: ChildProcess[] = [];
  const kinds = setup.proxies ?? [];
  const start = (program: string, args: string[], count: number, pattern: RegExp, env = {}) => {
    // An environment of its own, so that keys and settings of the machine stay out of it.
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    return addresses(child, program, count, pattern);
  };
  const stop = async () => {
    await Promise.all(children.map(ended));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    writeFileSync(join(folder, "google.json"), JSON.stringify({ ...script, rules: setup.rules ?? [] }));
    const flags = [
      "--provider",
      "gemini",
      "--provider",
      "xai",
      "--listen",
      "127.0.0.1:0",
      "--script",
      "gemini=google.json",
      ...(kinds.length > 0 ? ["--tls", "--ca-file", "ca.pem"] : []),
      ...kinds.flatMap((kind) => ["--proxy", `${kind}://127.0.0.1:0`]),
    ];
    const [gemini = "", xai = "", ...proxies] = await start(
      binaries.upstream,
      flags,
      2 + kinds.length,
      /^(?:gemini|xai|\w+ proxy) listens on (\w+:\/\/[0-9a-z.:]+)/,
    );
    writeFileSync(join(folder, "keymux.yaml"), config(gemini, xai, setup));
    const data = join(folder, "data");
    mkdirSync(data);
    const sealed = setup.database ? { KEYMUX_MASTER_KEY: setup.database(data) } : {};
    const ready = /is ready on (http:\/\/[0-9.:]+)/;
    const [url = ""] = await start(binaries.keymux, ["--config", "keymux.yaml"], 1, ready, sealed);
    return { url, upstream: gemini, proxies, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The addresses that a program prints when it is ready. */
function addresses(child: ChildProcess, program: string, count: number, pattern: RegExp): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const found: string[] = [];
    let log = "";
    const read = (line: string) => {
      log += `${line}\n`;
      const address = line.match(pattern)?.[1];
      if (address && found.push(address) === count) resolve(found);
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on("line", read);
    child.on("error", (error) =>
      reject(new Error(`${program} could not be started: ${error.message}; build it with cargo build`)),
    );
    child.on("exit", (code) => reject(new Error(`${program} ended with ${code} before it was ready:\n${log}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
