// What belongs to a project, over a pool of twenty projects: files used together, caches, batches, interactions, another
// client, and a program that is killed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { CLIENT_KEY, connect, folder, google, MODEL, restart, startWith, upstream } from './harness.js';

const OTHER_KEY = 'sk-sdk-caller-0002';
const POOL = Array.from({ length: 20 }, (_, number) => `AIza-project-${number}`);
const CLIENTS = [
  { name: 'sdk', key: CLIENT_KEY },
  { name: 'other', key: OTHER_KEY },
];
const home = await folder();
const wide = await startWith(google(POOL), { clients: CLIENTS });
const mine = connect({ keymux: wide });
const theirs = connect({ keymux: wide, key: OTHER_KEY });

beforeEach(() => upstream.setKeys(...POOL.map((key) => ({ key }))));

function upload(client, name = 'notes') {
  const file = new Blob([name.repeat(100)], { type: 'text/plain' });
  return client.files.upload({ file, config: { displayName: name } });
}

function part(file) {
  return { fileData: { fileUri: file.uri, mimeType: file.mimeType } };
}

function isHidden(call) {
  return assert.rejects(call, (error) => error.status === 404 || error.status === 403);
}

async function names(pager) {
  const found = [];
  for await (const item of await pager) found.push(item.name);
  return found;
}

test('two files are used in one request, a hundred times', async () => {
  for (let turn = 0; turn < 100; turn++) {
    const client = turn % 2 ? mine : theirs;
    const [one, other] = [await upload(client, 'one'), await upload(client, 'other')];
    const contents = [part(one), part(other), 'Compare'];
    const answer = await client.models.generateContent({ model: MODEL, contents });
    assert.match(answer.text, /one has 300 bytes/);
    assert.match(answer.text, /other has 500 bytes/);
  }
});

test('a cache is used, prolonged and deleted', async () => {
  const contents = [part(await upload(mine))];
  const { name } = await mine.caches.create({ model: MODEL, config: { contents, ttl: '600s' } });
  for (let turn = 0; turn < 5; turn++) {
    const config = { cachedContent: name };
    assert.ok((await mine.models.generateContent({ model: MODEL, contents: 'And?', config })).text);
    await isHidden(() => theirs.models.generateContent({ model: MODEL, contents: 'And?', config }));
  }
  await mine.caches.update({ name, config: { ttl: '1200s' } });
  assert.ok((await names(mine.caches.list())).includes(name));
  assert.ok(!(await names(theirs.caches.list())).includes(name));
  await mine.caches.delete({ name });
  await isHidden(() => mine.caches.get({ name }));
});

test('a batch is followed to its results', async () => {
  const { name } = await mine.batches.create({ model: MODEL, src: (await upload(mine)).name });
  await isHidden(() => theirs.batches.get({ name }));
  const done = await mine.batches.get({ name });
  assert.equal(done.state, 'JOB_STATE_SUCCEEDED');
  const downloadPath = join(home, 'results.jsonl');
  await mine.files.download({ file: done.dest.fileName, downloadPath });
  assert.match(await readFile(downloadPath, 'utf8'), /candidates/);
});

test('an interaction is gone on with, by its maker only', async () => {
  const first = await mine.interactions.create({ model: MODEL, input: 'My name is Ada' });
  const next = { model: MODEL, input: 'What is it?', previous_interaction_id: first.id };
  for (let turn = 0; turn < 5; turn++) assert.ok((await mine.interactions.create(next)).id);
  await isHidden(() => theirs.interactions.create(next));
  await isHidden(() => theirs.interactions.get(first.id));
});

test('lists hold what is theirs', async () => {
  const made = (client) => Promise.all([1, 2, 3].map(async () => (await upload(client)).name));
  const [own, others] = [await made(mine), await made(theirs)];
  const listed = await names(mine.files.list({ config: { pageSize: 2 } }));
  assert.ok(own.every((name) => listed.includes(name)));
  assert.ok(!others.some((name) => listed.includes(name)));
  await isHidden(() => mine.files.get({ name: others[0] }));
});

test('a program that was killed knows them when it is back', async () => {
  let keymux = await startWith(google(POOL), { clients: CLIENTS });
  const file = await upload(connect({ keymux }));
  keymux = await restart(keymux);
  const client = connect({ keymux });
  assert.equal((await client.files.get({ name: file.name })).name, file.name);
  const contents = [part(file), part(await upload(client, 'other')), 'Compare'];
  assert.ok((await client.models.generateContent({ model: MODEL, contents })).text);
});
