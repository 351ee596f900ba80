"""LiteLLM as a client of keymux, at every provider: what it does with any server of OpenAI's dialect."""

import json

import litellm
import pytest
from asking import ASK_WEATHER, SAY_HELLO, WEATHER, asked
from harness import CLIENT_KEY

# It would look for newer prices and send what it counts.
litellm.telemetry = False


@pytest.fixture
def complete(base_url, provider):
    """Asks the provider of the test; gives LiteLLM's answer."""

    def complete(messages=SAY_HELLO, key=CLIENT_KEY, model=provider.chat, **options):
        where = {"api_base": base_url, "api_key": key, "num_retries": 0, "max_retries": 0}
        return litellm.completion(model=f"openai/{model}", messages=messages, **where, **options)

    return complete


def test_an_answer_comes_whole_with_its_usage(complete, provider):
    answer = complete()
    assert answer.choices[0].message.content == provider.said("Say hello")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > answer.usage.prompt_tokens > 0


def test_a_stream_comes_in_chunks(complete, provider):
    chunks = list(complete(stream=True, stream_options={"include_usage": True}))
    deltas = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(deltas) == provider.said("Say hello")
    assert any(getattr(chunk, "usage", None) for chunk in chunks)
    whole = litellm.stream_chunk_builder(chunks)
    assert whole.choices[0].message.content == provider.said("Say hello")


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_function_is_called_and_its_result_used(complete, streams):
    question = asked(ASK_WEATHER)
    answer = complete(question, tools=[WEATHER], stream=streams)
    if streams:
        answer = litellm.stream_chunk_builder(list(answer), messages=question)
    message = answer.choices[0].message
    [call] = message.tool_calls
    assert call.function.name == "get_weather" and json.loads(call.function.arguments) == {"city": "Oslo"}
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"celsius":21}'}
    answered = complete([*question, message.model_dump(exclude_none=True), result], tools=[WEATHER])
    assert 'The function get_weather returned {"celsius":21}.' in answered.choices[0].message.content


def test_texts_are_embedded(base_url, provider):
    model = f"openai/{provider.embedder}"
    answer = litellm.embedding(model=model, input=["one", "two"], api_base=base_url, api_key=CLIENT_KEY)
    vectors = [entry["embedding"] for entry in answer.data]
    assert [len(vector) for vector in vectors] == [provider.dimensions] * 2
    assert all(isinstance(value, float) for vector in vectors for value in vector)


def test_errors_are_litellms_own(complete, provider):
    with pytest.raises(litellm.AuthenticationError):
        complete(key="sk-sdk-nobody")
    with pytest.raises(litellm.NotFoundError):
        complete(model=f"{provider.name}/none-such-1")
    with pytest.raises(litellm.BadRequestError):
        complete(messages=[])
