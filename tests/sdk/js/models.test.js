// What is asked about models and of models that do not speak: lists, token counts, embeddings, versions of the API.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, MODEL, pooled, upstream, WAYS } from './harness.js';

const client = connect();
const EMBEDDER = 'gemini-embedding-001';

test('models are listed page by page', async () => {
  const pager = await client.models.list({ config: { pageSize: 25 } });
  assert.equal(pager.page.length, 25);
  const names = [];
  for await (const model of pager) names.push(model.name);
  assert.ok(names.includes(`models/${MODEL}`));
  assert.ok(names.length > 50 && new Set(names).size === names.length);
  const pages = await upstream.seen();
  assert.equal(pages.length, 3);
  for (const page of pages) assert.match(page.path_and_query, /pageSize=25/);
});

for (const apiVersion of ['v1', 'v1beta', 'v1alpha']) {
  test(`version ${apiVersion} of the API is served`, async () => {
    const client = connect({ apiVersion });
    assert.equal((await client.models.get({ model: MODEL })).name, `models/${MODEL}`);
    assert.equal((await client.models.list({ config: { pageSize: 10 } })).page.length, 10);
    for (const ask of Object.values(WAYS)) assert.equal(await ask(client), 'You said: Say hello');
    const seen = await upstream.seen();
    assert.equal(seen.length, 4);
    for (const call of seen) assert.ok(call.path_and_query.startsWith(`/${apiVersion}/models`));
  });
}

test('a base URL may end with a slash', async () => {
  assert.equal(await WAYS.generate(connect({ baseUrl: `${pooled.url}/` })), 'You said: Say hello');
});

test('tokens are counted', async () => {
  const count = async (contents) => (await client.models.countTokens({ model: MODEL, contents })).totalTokens;
  const [short, long] = [await count('Say hello'), await count('Say hello '.repeat(100))];
  assert.ok(0 < short && short < long);
});

test('texts are embedded', async () => {
  const request = { model: EMBEDDER, contents: ['one', 'two', 'one'], config: { outputDimensionality: 16 } };
  const [first, second, third] = (await client.models.embedContent(request)).embeddings.map((one) => one.values);
  assert.equal(first.length, 16);
  assert.deepEqual(first, third);
  assert.notDeepEqual(first, second);
});

test('credentials of callers stay with keymux', async () => {
  await WAYS.generate(client);
  await client.models.list({ config: { pageSize: 5 } });
  for (const call of await upstream.seen()) {
    assert.match(call.key, /^AIza-pool-/);
    assert.ok(!JSON.stringify(call).includes('sk-sdk'));
  }
});
