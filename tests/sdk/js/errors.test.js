// What goes wrong, as the SDK's own error: the caller's mistakes in the provider's words, a wrong client key, a pool
// with nothing left, and streams that break off.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@google/genai';
import { connect, eventually, MODEL, startKeymux, upstream, WAYS } from './harness.js';

const ONE_A_MINUTE = [{ model: '*', measure: 'rpm', value: 1 }];

/** Waits for the SDK's error; gives what the provider's own shape says in it. */
async function refused(promise, code) {
  let caught;
  await assert.rejects(promise, (error) => {
    caught = error;
    return error instanceof ApiError;
  });
  assert.equal(caught.status, code);
  return caught.message;
}

for (const [way, ask] of Object.entries(WAYS)) {
  test(`${way}: an unknown model is not found`, async () => {
    const client = connect({ keymux: await startKeymux({ first: [{}, {}] }) });
    assert.match(await refused(ask(client, { model: 'gemini-0-none' }), 404), /models\/gemini-0-none is not found/);
    // One other project may know it; more are not asked.
    assert.equal((await upstream.seen()).length, 2);
    assert.ok(await ask(client));
  });

  test(`${way}: a wrong request is refused once`, async () => {
    const config = { httpOptions: { extraBody: { nonsense: 1 } } };
    assert.match(await refused(ask(connect(), { config }), 400), /Unknown name \\"nonsense\\"/);
    assert.equal((await upstream.seen()).length, 1);
  });

  test(`${way}: a wrong client key is refused`, async () => {
    const message = await refused(ask(connect({ key: 'sk-sdk-nobody' })), 401);
    assert.match(message, /UNAUTHENTICATED/);
    assert.ok(!message.includes('sk-sdk-nobody'));
    assert.deepEqual(await upstream.seen(), []);
  });

  test(`${way}: an exhausted pool says when to come back`, async () => {
    const keymux = await startKeymux({ first: [{ limits: ONE_A_MINUTE }, { limits: ONE_A_MINUTE }], spare: false });
    let last;
    const watch = async (...request) => (last = await fetch(...request));
    const client = connect({ keymux, fetch: watch });
    assert.ok((await ask(client)) && (await ask(client)));
    assert.match(await refused(ask(client), 503), /UNAVAILABLE/);
    const seconds = Number(last.headers.get('retry-after'));
    assert.ok(1 <= seconds && seconds <= 66, `${seconds} s`);
  });

  test(`${way}: keys that are all dead are not the caller's to mend`, async () => {
    const keymux = await startKeymux({ first: [{ fault: 'invalid' }, { fault: 'suspended' }], spare: false });
    assert.doesNotMatch(await refused(ask(connect({ keymux })), 503), /API key|AIza/);
  });
}

test("the SDK's own retries outlast an exhausted pool", async () => {
  const keymux = await startKeymux();
  await upstream.addRules({ times: 1, then: { respond: { status: 429, headers: { 'retry-after': '1' } } } });
  const retryOptions = { attempts: 6, initialDelay: 0.4, maxDelay: 0.4 };
  assert.ok(await WAYS.generate(connect({ keymux, retryOptions })));
});

const BREAKS = {
  cut: [{ cut_after_chunks: 2 }, 503],
  reset: [{ reset_after_chunks: 2 }, 503],
  stalled: [{ stall_after_chunks: 2 }, 504],
  'an error': [{ error_after_chunks: { chunks: 2, fixture: 'gemini/errors/503_overloaded.json' } }, 503],
};
for (const [name, [then, code]] of Object.entries(BREAKS)) {
  test(`a stream that breaks off (${name}) ends in the SDK's error`, async () => {
    const keymux = await startKeymux({ pool: { stream_idle_timeout: '1s' } });
    await upstream.addRules({ then });
    const stream = await connect({ keymux }).models.generateContentStream({ model: MODEL, contents: 'Say hello' });
    const heard = [];
    const listen = async () => {
      for await (const chunk of stream) heard.push(chunk.text);
    };
    await refused(listen(), code);
    assert.equal(heard.length, 2);
    assert.ok('You said: Say hello'.startsWith(heard.join('')));
    // What has been said is not said again with another key.
    assert.equal((await upstream.seen()).length, 1);
  });
}

test('a stream that is aborted stops upstream', async () => {
  await upstream.addRules({ then: { stall_after_chunks: 2 } });
  const abort = new AbortController();
  const request = { model: MODEL, contents: 'Say hello', config: { abortSignal: abort.signal } };
  const stream = await connect().models.generateContentStream(request);
  assert.ok((await stream.next()).value.text);
  assert.equal((await upstream.seen())[0].finished, false);
  abort.abort();
  await eventually('the provider is left alone', async () => (await upstream.seen())[0].disconnected);
});
