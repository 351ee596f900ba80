// What applications do all day: ask, read streams, chat, call functions, let the model think.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedReason, FinishReason, Type } from '@google/genai';
import { connect, MODEL, text, upstream } from './harness.js';

const client = connect();
const WEATHER = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};

async function collect(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

test('an answer comes whole with its usage', async () => {
  const answer = await client.models.generateContent({ model: MODEL, contents: 'Say hello' });
  assert.equal(answer.text, 'You said: Say hello');
  assert.equal(answer.candidates[0].finishReason, FinishReason.STOP);
  assert.equal(answer.modelVersion, MODEL);
  assert.ok(answer.usageMetadata.totalTokenCount > answer.usageMetadata.promptTokenCount);
  const headers = answer.sdkHttpResponse.headers;
  assert.equal(headers['x-keymux-provider'], 'google');
  assert.equal(headers['x-keymux-attempts'], '1');
  assert.ok(!JSON.stringify(headers).includes('AIza'));
});

test('a stream comes in chunks', async () => {
  const chunks = await collect(client.models.generateContentStream({ model: MODEL, contents: 'Say hello' }));
  assert.equal(chunks.length, 3);
  assert.equal(chunks.map((chunk) => chunk.text).join(''), 'You said: Say hello');
  assert.equal(chunks[2].candidates[0].finishReason, FinishReason.STOP);
  assert.ok(chunks[2].usageMetadata.totalTokenCount > 0);
});

test('text of any script survives', async () => {
  const contents = 'Grüße, Привет, 你好, xin chào, \u{1f600}\u2028 \\"quoted\\"';
  const answer = await client.models.generateContent({ model: MODEL, contents });
  assert.equal(answer.text, `You said: ${contents}`);
  assert.equal(await text(client.models.generateContentStream({ model: MODEL, contents })), `You said: ${contents}`);
});

test('a system instruction and settings reach the model', async () => {
  const config = { systemInstruction: 'Answer in verse', temperature: 0.2, topP: 0.9, seed: 7 };
  const answer = await client.models.generateContent({ model: MODEL, contents: 'Say hello', config });
  assert.equal(answer.text, '[system: Answer in verse] You said: Say hello');
  const [seen] = await upstream.seen();
  assert.equal(JSON.parse(seen.body).generationConfig.temperature, 0.2);
});

test('structured answers fit their schema', async () => {
  const responseSchema = { type: Type.OBJECT, properties: { name: { type: Type.STRING } } };
  const config = { responseMimeType: 'application/json', responseSchema };
  const answer = await client.models.generateContent({ model: MODEL, contents: 'Tell of Oslo', config });
  assert.deepEqual(JSON.parse(answer.text), { name: 'You said: Tell of Oslo' });
});

test('a chat remembers what was said', async () => {
  const history = [
    { role: 'user', parts: [{ text: 'My name is Ada' }] },
    { role: 'model', parts: [{ text: 'Hello Ada' }] },
  ];
  const chat = client.chats.create({ model: MODEL, history });
  assert.match((await chat.sendMessage({ message: 'How many turns?' })).text, /has 3 turns\./);
  assert.match((await chat.sendMessage({ message: 'How many turns now?' })).text, /has 5 turns\./);
  assert.match(await text(chat.sendMessageStream({ message: 'And turns now?' })), /has 7 turns\./);
});

test('a function is called and its result used', async () => {
  const config = { tools: [{ functionDeclarations: [WEATHER] }] };
  const contents = [{ role: 'user', parts: [{ text: 'How warm is it in Oslo?' }] }];
  const asked = await client.models.generateContent({ model: MODEL, contents, config });
  const [call] = asked.functionCalls;
  assert.deepEqual({ name: call.name, args: call.args }, { name: 'get_weather', args: { city: 'Oslo' } });
  const result = { id: call.id, name: call.name, response: { celsius: 21 } };
  contents.push(asked.candidates[0].content, { role: 'user', parts: [{ functionResponse: result }] });
  const answer = await client.models.generateContent({ model: MODEL, contents, config });
  assert.equal(answer.text, 'The function get_weather returned {"celsius":21}.');
  const seen = await upstream.seen();
  // The signature that came with the call went back with it.
  const signature = asked.candidates[0].content.parts[0].thoughtSignature;
  assert.ok(signature && seen[1].body.includes(signature));
});

test('a function is called from a stream', async () => {
  const config = { tools: [{ functionDeclarations: [WEATHER] }] };
  const contents = 'How warm is it in Oslo?';
  const chunks = await collect(client.models.generateContentStream({ model: MODEL, contents, config }));
  assert.deepEqual(chunks.flatMap((chunk) => chunk.functionCalls ?? []).map((call) => call.args), [{ city: 'Oslo' }]);
});

test('thoughts are shown when asked for', async () => {
  const request = { model: MODEL, contents: 'Say hello', config: { thinkingConfig: { includeThoughts: true } } };
  const check = (answers) => {
    const parts = answers.flatMap((answer) => answer.candidates[0].content.parts);
    const thoughts = parts.filter((part) => part.thought);
    assert.equal(thoughts.length, 1);
    assert.match(thoughts[0].text, /Considering the question/);
    const said = parts.filter((part) => !part.thought).map((part) => part.text);
    assert.equal(said.join(''), 'You said: Say hello');
    assert.ok(answers.at(-1).usageMetadata.thoughtsTokenCount > 0);
  };
  check([await client.models.generateContent(request)]);
  check(await collect(client.models.generateContentStream(request)));
});

test('a blocked prompt is an answer without candidates', async () => {
  const request = { model: MODEL, contents: 'BLOCK_ME' };
  const answer = await client.models.generateContent(request);
  assert.equal(answer.promptFeedback.blockReason, BlockedReason.PROHIBITED_CONTENT);
  assert.equal(answer.text, undefined);
  const [chunk] = await collect(client.models.generateContentStream(request));
  assert.equal(chunk.promptFeedback.blockReason, BlockedReason.PROHIBITED_CONTENT);
  // A block is an answer: asking with other keys until one lets it pass is what no pool may do.
  assert.equal((await upstream.seen()).length, 2);
});

test('a blocked answer has its reason', async () => {
  const request = { model: MODEL, contents: 'UNSAFE' };
  const answer = await client.models.generateContent(request);
  assert.equal(answer.candidates[0].finishReason, FinishReason.SAFETY);
  const [chunk] = await collect(client.models.generateContentStream(request));
  assert.equal(chunk.candidates[0].finishReason, FinishReason.SAFETY);
  assert.equal((await upstream.seen()).length, 2);
});
