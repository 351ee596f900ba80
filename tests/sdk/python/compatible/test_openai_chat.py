"""Chat completions with OpenAI's SDK, at every provider: whole, streamed, structured, with a picture."""

import pytest
from asking import PIXEL, PIXEL_BYTES, SAY_HELLO, City, asked
from providers import PERPLEXITY


def stream(client, provider, **options):
    return list(client.chat.completions.create(model=provider.chat, messages=SAY_HELLO, stream=True, **options))


def text(chunks):
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    return "".join(delta.content or "" for delta in deltas)


def test_an_answer_comes_whole_with_its_usage(client, provider):
    answer = client.chat.completions.create(model=provider.chat, messages=SAY_HELLO)
    assert answer.object == "chat.completion" and answer.id and answer.created > 0
    [choice] = answer.choices
    assert choice.message.role == "assistant"
    assert choice.message.content == provider.said("Say hello")
    assert choice.finish_reason == "stop"
    assert answer.usage.total_tokens >= answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_an_answer_tells_where_it_came_from(client, provider):
    raw = client.chat.completions.with_raw_response.create(model=provider.chat, messages=SAY_HELLO)
    assert raw.headers["x-keymux-provider"] == provider.name
    assert raw.headers["x-keymux-attempts"] == "1"
    assert raw.headers["x-keymux-request-id"] and raw.headers["x-keymux-key"]
    assert provider.key not in str(raw.headers)
    assert raw.parse().choices[0].message.content == provider.said("Say hello")


def test_a_stream_comes_in_chunks_and_hides_its_usage(client, provider):
    chunks = stream(client, provider)
    assert text(chunks) == provider.said("Say hello")
    assert len([chunk for chunk in chunks if text([chunk])]) == 3
    ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert ends == ["stop"]
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_tells_its_usage_when_asked_to(client, provider):
    chunks = stream(client, provider, stream_options={"include_usage": True})
    assert text(chunks) == provider.said("Say hello")
    *before, last = chunks
    assert last.usage.total_tokens > last.usage.prompt_tokens > 0
    assert all(chunk.usage is None for chunk in before)


def test_the_sdks_helper_follows_a_stream(client, provider):
    with client.chat.completions.stream(model=provider.chat, messages=SAY_HELLO) as events:
        kinds = {event.type for event in events}
        answer = events.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert answer.choices[0].message.content == provider.said("Say hello")


def test_instructions_and_text_of_any_script_survive(client, provider):
    said = "Grüße, Привет, 你好, xin chào, \U0001f600\u2028 \\\"quoted\\\""
    messages = [{"role": "system", "content": "Answer in verse"}, *asked(said)]
    answer = client.chat.completions.create(model=provider.chat, messages=messages)
    content = answer.choices[0].message.content
    assert f"You said: {said}" in content and "Answer in verse" in content


def test_an_answer_may_be_too_short(client, provider):
    # Perplexity's least limit is 16 tokens.
    messages = asked("Say hello to all of them. " * 7)
    answer = client.chat.completions.create(model=provider.chat, messages=messages, max_tokens=20)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content.startswith("You said: Say hello")


def test_an_answer_fits_its_schema(client, provider):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    format = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    messages = asked("Tell of Oslo")
    answer = client.chat.completions.create(model=provider.chat, messages=messages, response_format=format)
    assert answer.choices[0].message.content == '{"name":"You said: Tell of Oslo"}'


def test_structured_answers_are_parsed(client, provider):
    answer = client.chat.completions.parse(
        model=provider.chat, messages=asked("Tell of Oslo"), response_format=City
    )
    assert answer.choices[0].message.parsed == City(name="You said: Tell of Oslo", is_capital=True)


def test_a_picture_arrives(client, provider, upstream):
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = client.chat.completions.create(model=provider.chat, messages=asked(parts))
    content = answer.choices[0].message.content
    assert f"is image/png of {PIXEL_BYTES} bytes." in content
    assert content.endswith(provider.said("What is this?"))
    # GigaChat wants its files uploaded, and by the key that asks.
    uploads = [call for call in upstream.seen() if call["path_and_query"].endswith("/files")]
    assert len(uploads) == (1 if provider.kind == "gigachat" else 0)


def test_credentials_stay_with_keymux(client, provider, pooled, upstream):
    client.chat.completions.create(model=provider.chat, messages=SAY_HELLO)
    asks = [call for call in upstream.seen() if call["method"] == "POST" and "oauth" not in call["path_and_query"]]
    assert [call["key"] for call in asks] == [provider.key]
    assert "sk-sdk" not in str(asks)
    assert provider.key not in pooled.log() and "sk-sdk" not in pooled.log()


@pytest.mark.parametrize("provider", [PERPLEXITY], ids=str)
def test_sources_and_costs_are_shown(client, provider):
    answer = client.chat.completions.create(model=provider.chat, messages=asked("Tell of Oslo"))
    check_sources(answer)
    assert [note.url_citation.url for note in answer.choices[0].message.annotations] == answer.model_extra["citations"]
    cost = answer.usage.model_extra["cost"]
    assert cost["currency"] == "USD"
    assert cost["total_cost"] > cost["input_cost"] > 0


@pytest.mark.parametrize("provider", [PERPLEXITY], ids=str)
def test_sources_and_costs_are_shown_in_streams(client, provider):
    chunks = stream(client, provider, stream_options={"include_usage": True})
    check_sources(next(chunk for chunk in chunks if "citations" in chunk.model_extra))
    assert chunks[-1].usage.model_extra["cost"]["total_cost"] > 0


def check_sources(answer):
    results = answer.model_extra["search_results"]
    assert len(results) == 2 and all(result["title"] for result in results)
    assert answer.model_extra["citations"] == [result["url"] for result in results]
