// Live sessions: connect, talk, send audio, call functions, go on elsewhere, and all of that with a token alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Modality, Type } from '@google/genai';
import { connect, eventually, startKeymux, upstream } from './harness.js';

const MODEL = 'gemini-live-2.5-flash';
const WEATHER = {
  name: 'get_weather',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};

/** A session and what it hears; `heard` gives the first message that `look` finds something in. */
async function talk(client, config = {}) {
  const messages = [];
  let closed;
  const session = await client.live.connect({
    model: MODEL,
    config: { responseModalities: [Modality.TEXT], ...config },
    callbacks: { onmessage: (message) => messages.push(message), onclose: (event) => (closed = event) },
  });
  const heard = (look) =>
    eventually('a message comes', () => {
      const at = messages.findIndex(look);
      return at >= 0 && look(messages.splice(0, at + 1).at(-1));
    });
  const answer = async () => {
    await eventually('the turn is over', () => messages.some((message) => message.serverContent?.turnComplete));
    const end = messages.findIndex((message) => message.serverContent?.turnComplete);
    const parts = messages.splice(0, end + 1).flatMap((message) => message.serverContent?.modelTurn?.parts ?? []);
    return parts.map((part) => part.text ?? '').join('');
  };
  return { session, heard, answer, closed: () => eventually('the session is closed', () => closed) };
}

test('texts are answered', async () => {
  const { session, answer, closed } = await talk(connect());
  session.sendClientContent({ turns: 'Say hello' });
  assert.equal(await answer(), 'You said: Say hello');
  session.sendRealtimeInput({ text: 'And again' });
  assert.equal(await answer(), 'You said: And again');
  session.close();
  await closed();
});

test('audio is sent and heard', async () => {
  const { session, heard } = await talk(connect(), { responseModalities: [Modality.AUDIO] });
  const data = Buffer.from('sound'.repeat(5000)).toString('base64');
  session.sendRealtimeInput({ audio: { data, mimeType: 'audio/pcm;rate=16000' } });
  assert.equal(await heard((message) => message.data), data);
  session.sendRealtimeInput({ audioStreamEnd: true });
  const usage = await heard((message) => message.usageMetadata);
  assert.ok(usage.totalTokenCount > 0);
  session.close();
});

test('functions are called', async () => {
  const { session, heard, answer } = await talk(connect(), { tools: [{ functionDeclarations: [WEATHER] }] });
  session.sendClientContent({ turns: 'How warm is it in Oslo?' });
  const [call] = (await heard((message) => message.toolCall)).functionCalls;
  assert.deepEqual(call.args, { city: 'Oslo' });
  session.sendToolResponse({ functionResponses: { id: call.id, name: call.name, response: { celsius: 21 } } });
  assert.equal(await answer(), 'The function get_weather returned {"celsius":21}.');
  session.close();
});

test('a session that was sent away goes on with its key', async () => {
  const first = await talk(connect(), { sessionResumption: {} });
  first.session.sendClientContent({ turns: 'Please GO_AWAY' });
  await first.answer();
  const { newHandle } = await first.heard((message) => message.sessionResumptionUpdate);
  await first.heard((message) => message.goAway);
  assert.equal((await first.closed()).code, 1001);
  const next = await talk(connect(), { sessionResumption: { handle: newHandle } });
  next.session.sendClientContent({ turns: 'How many turns?' });
  assert.match(await next.answer(), /has 3 turns\./);
  next.session.close();
  const [one, other] = await upstream.seen();
  assert.equal(one.key, other.key);
});

test('a token opens a session without a client key', async () => {
  const token = await connect({ apiVersion: 'v1alpha' }).authTokens.create({ config: { uses: 1 } });
  const holder = connect({ key: token.name, apiVersion: 'v1alpha' });
  const { session, answer } = await talk(holder);
  session.sendClientContent({ turns: 'Say hello' });
  assert.equal(await answer(), 'You said: Say hello');
  session.close();
  await assert.rejects(talk(holder), /too many times/);
});

test('keys that fail are passed over before the session is open', async () => {
  const keymux = await startKeymux({ first: [{ fault: 'invalid' }, { fault: 'prepay_depleted' }] });
  const { session, answer } = await talk(connect({ keymux }));
  session.sendClientContent({ turns: 'Say hello' });
  assert.equal(await answer(), 'You said: Say hello');
  session.close();
  const seen = await upstream.seen();
  // The two that fail are as good as each other.
  assert.deepEqual(new Set(seen.map((call) => call.key)), new Set(keymux.keys));
  assert.equal(seen.at(-1).key, keymux.keys.at(-1));
});
