// Files: uploaded in pieces through keymux and nowhere else, asked about, listed and deleted.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, folder, MODEL, pooled, upstream } from './harness.js';

const MIB = 1024 * 1024;
// The SDK sends pieces of 8 MiB.
const PIECE = 8 * MIB;
const SIZES = {
  'one byte': 1,
  '70 kB': 70_000,
  'one piece': PIECE,
  'a piece and a byte': PIECE + 1,
  'three pieces': 20 * MIB,
};
const home = await folder();

async function write(size) {
  const path = join(home, `${size}.txt`);
  await writeFile(path, randomBytes(size));
  return path;
}

/** A client, and what it got on the wire. */
function watched() {
  const answers = [];
  const watch = async (...request) => {
    const answer = await fetch(...request);
    answers.push(answer);
    return answer;
  };
  return { client: connect({ fetch: watch }), answers };
}

/**
 * Every request went to keymux, and all that the provider saw came from there, with a key of the pool. A page of a list
 * may take keymux more than one.
 */
async function passedOnlyThroughKeymux(answers, { lists = false } = {}) {
  for (const answer of answers) {
    assert.equal(new URL(answer.url).origin, pooled.url);
    const way = answer.headers.get('x-goog-upload-url');
    if (way) assert.ok(way.startsWith(`${pooled.url}/upload/`), way);
  }
  const seen = await upstream.seen();
  assert.ok(lists ? seen.length >= answers.length : seen.length === answers.length);
  for (const call of seen) assert.match(call.key, /^AIza-pool-/);
}

for (const [name, size] of Object.entries(SIZES)) {
  test(`a file of ${name} is uploaded through keymux`, async () => {
    const { client, answers } = watched();
    const path = await write(size);
    const file = await client.files.upload({ file: path, config: { displayName: 'notes', mimeType: 'text/plain' } });
    assert.equal(Number(file.sizeBytes), size);
    const digest = createHash('sha256').update(await readFile(path)).digest('hex');
    assert.equal(Buffer.from(file.sha256Hash, 'base64').toString(), digest);
    const [begun, ...sent] = await upstream.seen();
    const pieces = Array.from({ length: Math.ceil(size / PIECE) }, (_, n) => Math.min(PIECE, size - n * PIECE));
    assert.deepEqual(sent.map((call) => call.body_len), pieces);
    for (const call of sent) assert.equal(call.key, begun.key);
    await passedOnlyThroughKeymux(answers);
  });
}

test('a blob is uploaded and asked about', async () => {
  const { client, answers } = watched();
  const blob = new Blob(['a'.repeat(5_000)], { type: 'text/plain' });
  const file = await client.files.upload({ file: blob, config: { displayName: 'notes' } });
  const part = { fileData: { fileUri: file.uri, mimeType: file.mimeType } };
  const answer = await client.models.generateContent({ model: MODEL, contents: [part, 'Sum it up'] });
  assert.equal(answer.text, 'The file notes has 5000 bytes. You said: Sum it up');
  await passedOnlyThroughKeymux(answers);
});

test('an uploaded file is found and deleted', async () => {
  const { client, answers } = watched();
  const path = await write(300_000);
  const file = await client.files.upload({ file: path, config: { mimeType: 'text/plain' } });
  assert.equal((await client.files.get({ name: file.name })).state, 'ACTIVE');
  const listed = async () => {
    const names = [];
    for await (const one of await client.files.list({ config: { pageSize: 1 } })) names.push(one.name);
    return names;
  };
  assert.ok((await listed()).includes(file.name));
  await client.files.delete({ name: file.name });
  assert.ok(!(await listed()).includes(file.name));
  await passedOnlyThroughKeymux(answers, { lists: true });
});

for (const apiVersion of ['v1', 'v1beta', 'v1alpha']) {
  test(`version ${apiVersion} of the API takes files`, async () => {
    const client = connect({ apiVersion });
    const file = await client.files.upload({ file: await write(10), config: { mimeType: 'text/plain' } });
    assert.equal(Number((await client.files.get({ name: file.name })).sizeBytes), 10);
    const [begun] = await upstream.seen();
    assert.ok(begun.path_and_query.startsWith(`/upload/${apiVersion}/files`));
  });
}
