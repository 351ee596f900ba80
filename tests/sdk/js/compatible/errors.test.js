// What goes wrong, as errors of OpenAI's SDK, at every provider: the caller's mistakes, a wrong client key and its
// limits, a pool with nothing left, streams that are aborted; and chains of providers, which go on where one is down.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { connect, eventually, freshKey, PROVIDERS, said, SAY_HELLO, startKeymux, upstreams, WAYS } from './harness.js';

const LIMITED_KEY = 'sk-sdk-limited-0001';
const DOWN = { respond: { status: 503, body: '{}' } };

/** Waits for the SDK's error of this class. */
async function refused(promise, kind) {
  const caught = await promise.then(
    () => assert.fail('it was answered'),
    (error) => error,
  );
  assert.equal(caught.constructor, kind, `${caught}`);
  assert.ok(caught.error.message && caught.type);
  return caught;
}

for (const [place, provider] of PROVIDERS.entries()) {
  const { name, chat: model } = provider;
  for (const [way, ask] of Object.entries(WAYS)) {
    test(`${name}, ${way}: a wrong client key is refused`, async () => {
      const error = await refused(ask(connect({ key: 'sk-sdk-nobody' }), model), OpenAI.AuthenticationError);
      assert.equal(error.code, 'invalid_api_key');
      assert.deepEqual(await upstreams[name].seen(), []);
    });

    test(`${name}, ${way}: an unknown model is not found`, async () => {
      const error = await refused(ask(connect(), `${name}/none-such-1`), OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
    });

    test(`${name}, ${way}: a malformed request is refused`, async () => {
      const error = await refused(ask(connect(), model, { messages: [] }), OpenAI.BadRequestError);
      assert.match(error.message, /messages/);
    });
  }

  test(`${name}: a client key's own limit is a rate limit`, async () => {
    const clients = [{ name: 'limited', key: LIMITED_KEY, rpm: 1 }];
    const keymux = await startKeymux({ [name]: [await freshKey(provider)] }, { clients });
    const client = connect({ keymux, key: LIMITED_KEY });
    assert.equal(await WAYS.whole(client, model), said(provider));
    const error = await refused(WAYS.whole(client, model), OpenAI.RateLimitError);
    assert.equal(error.code, 'rate_limit_exceeded');
    assert.ok(Number(error.headers.get('retry-after')) >= 1);
  });

  test(`${name}: an exhausted pool is not the caller's fault`, async () => {
    const limits = [{ model: '*', measure: 'rpm', value: 1 }];
    const keys = { [name]: [await freshKey(provider, { limits })] };
    // Where an account has turns, a request stands in line until then.
    const keymux = await startKeymux(keys, { retry: { deadline: '2s' } });
    const client = connect({ keymux });
    assert.equal(await WAYS.stream(client, model), said(provider));
    for (const ask of Object.values(WAYS)) {
      const error = await refused(ask(client, model), OpenAI.InternalServerError);
      assert.equal(error.status, 503);
      assert.ok(Number(error.headers.get('retry-after')) >= 1);
    }
  });

  test(`${name}: a chain goes on where the provider is down`, async () => {
    const next = PROVIDERS[(place + 1) % PROVIDERS.length];
    const keys = { [name]: [await freshKey(provider)], [next.name]: [await freshKey(next)] };
    const settings = { aliases: { smart: [model, next.chat] }, retry: { max_attempts: 1 } };
    const client = connect({ keymux: await startKeymux(keys, settings) });
    await upstreams[name].addRules({ then: DOWN });
    for (const ask of Object.values(WAYS)) assert.equal(await ask(client, 'smart'), said(next));
  });

  test(`${name}: a stream that is aborted stops upstream`, async () => {
    const { path, eventsToText } = provider;
    await upstreams[name].addRules({ path_contains: path, then: { stall_after_chunks: eventsToText } });
    const stream = await connect().chat.completions.create({ model, messages: SAY_HELLO, stream: true });
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    const isLeft = async () =>
      (await upstreams[name].seen()).some((call) => call.path_and_query.includes(path) && call.disconnected);
    await eventually('the provider is left alone', isLeft);
  });
}
