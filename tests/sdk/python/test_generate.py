"""What applications do all day: ask, read streams, chat, call functions, let the model think."""

from google.genai import types
from pydantic import BaseModel

from harness import MODEL


def test_an_answer_comes_whole_with_its_usage(client):
    answer = client.models.generate_content(model=MODEL, contents="Say hello")
    assert answer.text == "You said: Say hello"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.model_version == MODEL
    assert answer.usage_metadata.total_token_count > answer.usage_metadata.prompt_token_count > 0


def test_an_answer_tells_where_it_came_from(client):
    answer = client.models.generate_content(model=MODEL, contents="Say hello")
    headers = {name.lower(): value for name, value in answer.sdk_http_response.headers.items()}
    assert headers["x-keymux-provider"] == "google"
    assert headers["x-keymux-attempts"] == "1"
    assert headers["x-keymux-request-id"]
    assert "AIza" not in str(headers)


def test_a_stream_comes_in_chunks(client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Say hello"))
    assert len(chunks) == 3
    assert "".join(chunk.text for chunk in chunks) == "You said: Say hello"
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count > 0


def test_text_of_any_script_survives(client):
    said = "Grüße, Привет, 你好, xin chào, \U0001f600\u2028 \\\"quoted\\\""
    answer = client.models.generate_content(model=MODEL, contents=said)
    assert answer.text == f"You said: {said}"
    stream = client.models.generate_content_stream(model=MODEL, contents=said)
    assert "".join(chunk.text for chunk in stream) == f"You said: {said}"


def test_a_system_instruction_and_settings_reach_the_model(client, upstream):
    config = types.GenerateContentConfig(
        system_instruction="Answer in verse", temperature=0.2, top_p=0.9, seed=7, stop_sequences=["END"]
    )
    answer = client.models.generate_content(model=MODEL, contents="Say hello", config=config)
    assert answer.text == "[system: Answer in verse] You said: Say hello"
    assert '"temperature": 0.2' in upstream.seen()[0]["body"]


def test_an_answer_may_be_too_short(client):
    config = types.GenerateContentConfig(max_output_tokens=2)
    answer = client.models.generate_content(model=MODEL, contents="Say hello", config=config)
    assert answer.text == "You said"
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_structured_answers_are_parsed(client):
    class City(BaseModel):
        name: str
        is_capital: bool

    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
    answer = client.models.generate_content(model=MODEL, contents="Tell of Oslo", config=config)
    assert answer.parsed == City(name="You said: Tell of Oslo", is_capital=True)


def test_a_chat_remembers_what_was_said(client):
    history = [
        types.UserContent("My name is Ada"),
        types.ModelContent("Hello Ada"),
    ]
    chat = client.chats.create(model=MODEL, history=history)
    assert "This conversation has 3 turns." in chat.send_message("How many turns?").text
    assert "This conversation has 5 turns." in chat.send_message("How many turns now?").text
    streamed = "".join(chunk.text for chunk in chat.send_message_stream("And turns now?"))
    assert "This conversation has 7 turns." in streamed
    assert [turn.role for turn in chat.get_history(curated=True)[-4:]] == ["user", "model", "model", "model"]


def test_functions_are_called_and_their_results_used(client, upstream):
    asked = []

    def get_weather(city: str) -> dict:
        """The weather in a city."""
        asked.append(city)
        return {"celsius": 21}

    config = types.GenerateContentConfig(tools=[get_weather])
    answer = client.models.generate_content(model=MODEL, contents="How warm is it in Oslo?", config=config)
    assert asked == ["Oslo"]
    assert "The function get_weather returned" in answer.text and "21" in answer.text
    signed = upstream.seen()[-1]["body"]
    assert "thoughtSignature" in signed or "thought_signature" in signed


def test_functions_are_called_from_a_streamed_chat(client):
    asked = []

    def get_weather(city: str) -> dict:
        """The weather in a city."""
        asked.append(city)
        return {"celsius": 21}

    chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[get_weather]))
    chunks = chat.send_message_stream("How warm is it in Oslo?")
    said = "".join(chunk.text or "" for chunk in chunks)
    assert asked == ["Oslo"]
    assert "The function get_weather returned" in said


def test_thoughts_are_shown_when_asked_for(client):
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))

    def check(candidates):
        parts = [part for candidate in candidates for part in candidate.content.parts]
        thoughts = [part.text for part in parts if part.thought]
        assert len(thoughts) == 1 and "Considering the question" in thoughts[0]
        assert "".join(part.text for part in parts if not part.thought) == "You said: Say hello"
        assert parts[-1].thought_signature

    answer = client.models.generate_content(model=MODEL, contents="Say hello", config=config)
    check(answer.candidates)
    assert answer.usage_metadata.thoughts_token_count > 0
    stream = list(client.models.generate_content_stream(model=MODEL, contents="Say hello", config=config))
    check([chunk.candidates[0] for chunk in stream])
    assert stream[-1].usage_metadata.thoughts_token_count > 0


def test_a_blocked_prompt_is_an_answer_without_candidates(client, upstream):
    answer = client.models.generate_content(model=MODEL, contents="BLOCK_ME")
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    assert not answer.candidates and answer.text is None
    [chunk] = client.models.generate_content_stream(model=MODEL, contents="BLOCK_ME")
    assert chunk.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    # A block is an answer: asking with other keys until one lets it pass is what no pool may do.
    assert len(upstream.seen()) == 2


def test_a_blocked_answer_has_its_reason(client, upstream):
    answer = client.models.generate_content(model=MODEL, contents="UNSAFE")
    assert answer.candidates[0].finish_reason == types.FinishReason.SAFETY
    assert answer.candidates[0].safety_ratings[0].blocked
    [chunk] = client.models.generate_content_stream(model=MODEL, contents="UNSAFE")
    assert chunk.candidates[0].finish_reason == types.FinishReason.SAFETY
    assert len(upstream.seen()) == 2


def test_inline_bytes_arrive_as_they_were(client, upstream):
    pixels = types.Part.from_bytes(data=bytes(range(256)) * 4, mime_type="image/png")
    answer = client.models.generate_content(model=MODEL, contents=[pixels, "What is this?"])
    assert answer.text == "You said: What is this?"
    assert answer.usage_metadata.prompt_token_count > 258
