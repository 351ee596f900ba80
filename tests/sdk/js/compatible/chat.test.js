// What applications do all day, with OpenAI's SDK at every provider: ask, read streams, call functions, send pictures,
// embed texts, list models.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked, collect, connect, PROVIDERS, said, SAY_HELLO, textOf, upstreams } from './harness.js';

const client = connect();
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const ASK_BOTH = 'How warm is it in both Oslo and Bergen?';
// A PNG of one pixel, of 70 bytes.
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const cities = (calls) => calls.map((call) => JSON.parse(call.function.arguments).city);

/** The message that calls, and what the functions returned, as an application sends them back. */
function results(message) {
  const result = (call) => ({ role: 'tool', tool_call_id: call.id, content: '{"celsius":21}' });
  return [message, ...message.tool_calls.map(result)];
}

for (const provider of PROVIDERS) {
  const { name, chat: model } = provider;
  const create = (more) => client.chat.completions.create({ model, messages: SAY_HELLO, ...more });

  test(`${name}: an answer comes whole with its usage, and tells where it came from`, async () => {
    const { data, response } = await create().withResponse();
    assert.equal(data.choices[0].message.content, said(provider));
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.ok(data.usage.total_tokens > data.usage.prompt_tokens);
    assert.equal(response.headers.get('x-keymux-provider'), name);
    assert.equal(response.headers.get('x-keymux-attempts'), '1');
  });

  test(`${name}: a stream comes in chunks and hides its usage`, async () => {
    const chunks = await collect(create({ stream: true }));
    assert.equal(textOf(chunks), said(provider));
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    for (const chunk of chunks) assert.ok(!chunk.usage && chunk.choices.length === 1);
  });

  test(`${name}: a stream tells its usage when asked to`, async () => {
    const chunks = await collect(create({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(textOf(chunks), said(provider));
    assert.ok(chunks.at(-1).usage.total_tokens > 0);
    for (const chunk of chunks.slice(0, -1)) assert.ok(!chunk.usage);
  });

  test(`${name}: an answer fits its schema`, async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const response_format = { type: 'json_schema', json_schema: { name: 'city', schema } };
    const request = { model, messages: asked('Tell of Oslo'), response_format };
    const answer = await client.chat.completions.parse(request);
    assert.deepEqual(answer.choices[0].message.parsed, { name: 'You said: Tell of Oslo' });
  });

  test(`${name}: a picture arrives`, async () => {
    const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: PIXEL } }];
    const answer = await create({ messages: asked(content) });
    assert.match(answer.choices[0].message.content, /is image\/png of 70 bytes\. You said: What is this\?/);
    const uploads = (await upstreams[name].seen()).filter((call) => call.path_and_query.endsWith('/files'));
    assert.equal(uploads.length, name === 'gigachat' ? 1 : 0);
  });

  test(`${name}: functions are called and their results used`, async () => {
    const messages = asked(ASK_BOTH);
    const called = await create({ messages, tools: [WEATHER] });
    const expected = provider.callsInParallel ? ['Oslo', 'Bergen'] : ['Bergen'];
    assert.equal(called.choices[0].finish_reason, 'tool_calls');
    assert.deepEqual(cities(called.choices[0].message.tool_calls), expected);
    const history = [...messages, ...results(called.choices[0].message)];
    const answered = await create({ messages: history, tools: [WEATHER] });
    const found = answered.choices[0].message.content.split('The function get_weather returned {"celsius":21}.');
    assert.equal(found.length - 1, expected.length);
  });

  test(`${name}: the SDK runs functions that are called in a stream`, async () => {
    const heard = [];
    const run = ({ city }) => {
      heard.push(city);
      return { celsius: 21 };
    };
    const tool = { type: 'function', function: { ...WEATHER.function, function: run, parse: JSON.parse } };
    const request = { model, messages: asked('How warm is it in Oslo?'), tools: [tool], stream: true };
    const answer = await client.chat.completions.runTools(request).finalContent();
    assert.deepEqual(heard, ['Oslo']);
    assert.match(answer, /The function get_weather returned {"celsius":21}\./);
  });

  // Unless told otherwise, the SDK asks for base64 and reads that.
  for (const more of [{}, { encoding_format: 'float' }]) {
    test(`${name}: texts are embedded (${more.encoding_format ?? 'default'})`, async () => {
      const request = { model: provider.embedder, input: ['one', 'two', 'one'], ...more };
      const [first, second, third] = (await client.embeddings.create(request)).data.map((one) => one.embedding);
      assert.equal(first.length, provider.dimensions);
      assert.ok(first.every(Number.isFinite) && first.some((value) => value !== 0));
      assert.deepEqual(first, third);
      assert.notDeepEqual(first, second);
    });
  }

  test(`${name}: every listed model is found by its id`, async () => {
    const ids = (await collect(client.models.list())).map((one) => one.id).filter((id) => id.startsWith(`${name}/`));
    assert.ok(ids.length > 0 && new Set(ids).size === ids.length);
    for (const id of ids.slice(0, 3)) assert.equal((await client.models.retrieve(id)).id, id);
  });

  test(`${name}: a model that answers is found by the same id`, async () => {
    assert.equal((await client.models.retrieve(model)).id, model);
  });
}

test('perplexity: sources and costs are shown', async () => {
  const answer = await client.chat.completions.create({ model: 'perplexity/sonar', messages: asked('Tell of Oslo') });
  assert.equal(answer.search_results.length, 2);
  assert.deepEqual(answer.citations, answer.search_results.map((result) => result.url));
  assert.ok(answer.usage.cost.total_cost > 0);
});
