// Keys that fail, as an application sees them: not at all, but for a slightly slower answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, startKeymux, upstream, WAYS } from './harness.js';

// A key that does not answer is given up after this long.
const SETTINGS = { pool: { request_timeout: '1s' } };
// Far less than what any timeout of keymux or the SDK would take unless set.
const SLIGHTLY_MS = 10_000;

const fixture = (name) => ({ fixture: `gemini/errors/${name}` });
const DEEDS = {
  throttled: fixture('429_per_minute_requests.json'),
  'out of its day': fixture('429_per_day.json'),
  'out of tokens': fixture('429_tokens_per_minute.json'),
  'without the model': fixture('429_limit_zero.json'),
  dead: fixture('400_api_key_invalid.json'),
  leaked: fixture('403_key_leaked.json'),
  suspended: fixture('403_consumer_suspended.json'),
  unpaid: fixture('402_prepay_depleted.json'),
  overloaded: fixture('503_overloaded.json'),
  broken: fixture('500_internal.json'),
  'behind a bad gateway': fixture('502_html.html'),
  late: fixture('504_deadline.json'),
  stalling: 'stall_before_head',
  'stalling after the head': 'stall_after_head',
  resetting: 'reset',
  closing: 'close',
  'saying nothing': { empty: 'no_candidates' },
  'talking garbage': 'garbage',
};
const STREAM_DEEDS = {
  'ending at once': { end_after_chunks: 0 },
  'cut at once': { cut_after_chunks: 0 },
  'reset at once': { reset_after_chunks: 0 },
  'beginning with an error': { error_after_chunks: { chunks: 0, ...fixture('503_overloaded.json') } },
};

/** The call succeeds, in little time, after it was tried with the key that fails. */
async function isAnswered(ask, then) {
  const keymux = await startKeymux({ first: [{}], ...SETTINGS });
  const [failing, spare] = keymux.keys;
  await upstream.addRules({ key: failing, then });
  const began = Date.now();
  assert.equal(await ask(connect({ keymux })), 'You said: Say hello');
  assert.ok(Date.now() - began < SLIGHTLY_MS);
  assert.deepEqual((await upstream.seen()).map((call) => call.key), [failing, spare]);
}

for (const [way, ask] of Object.entries(WAYS)) {
  for (const [name, deed] of Object.entries(DEEDS)) {
    test(`${way}: a key that is ${name} is passed over`, () => isAnswered(ask, deed));
  }

  test(`${way}: with most keys failing every call is answered`, async () => {
    const throttled = { limits: [{ model: '*', measure: 'rpm', value: 1 }] };
    const dead = Array.from({ length: 20 }, () => ({ fault: 'invalid' }));
    const first = [throttled, { fault: 'overloaded' }, throttled, ...dead];
    const client = connect({ keymux: await startKeymux({ first }) });
    for (let n = 0; n < 10; n++) assert.equal(await ask(client), 'You said: Say hello');
  });
}
for (const [name, deed] of Object.entries(STREAM_DEEDS)) {
  test(`stream: a key that is ${name} is passed over`, () => isAnswered(WAYS.stream, deed));
}
