"""LangChain as a client of keymux, at every provider: chats, streams, tools, structured output, embeddings."""

import pytest
from asking import ASK_WEATHER, PIXEL, City
from harness import CLIENT_KEY
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return '{"celsius":21}'


@pytest.fixture
def chat(base_url, provider):
    return ChatOpenAI(model=provider.chat, base_url=base_url, api_key=CLIENT_KEY, max_retries=0)


def test_an_answer_comes_whole_with_its_usage(chat, provider):
    answer = chat.invoke("Say hello")
    assert answer.content == provider.said("Say hello")
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] > answer.usage_metadata["input_tokens"] > 0


def test_a_stream_adds_up_to_the_answer(base_url, provider):
    chat = ChatOpenAI(
        model=provider.chat, base_url=base_url, api_key=CLIENT_KEY, max_retries=0, stream_usage=True
    )
    first, *others = chat.stream("Say hello")
    answer = sum(others, first)
    assert len(others) >= 2
    assert answer.content == provider.said("Say hello")
    assert answer.usage_metadata["total_tokens"] > 0


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_its_result_used(chat, streams):
    bound = chat.bind_tools([get_weather])
    question = HumanMessage(ASK_WEATHER)
    if streams:
        first, *others = bound.stream([question])
        called = sum(others, first)
    else:
        called = bound.invoke([question])
    [call] = called.tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": "Oslo"}
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage)
    answered = bound.invoke([question, called, result])
    assert 'The function get_weather returned {"celsius":21}.' in answered.content


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_an_answer_is_structured(chat, method):
    city = chat.with_structured_output(City, method=method).invoke("Tell of Oslo")
    assert isinstance(city, City)
    assert "Oslo" in city.name and city.is_capital


def test_a_picture_arrives(chat, provider):
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = chat.invoke([HumanMessage(parts)])
    assert "is image/png of 70 bytes." in answer.content


def test_texts_are_embedded(base_url, provider):
    # Otherwise texts are sent as tokens of OpenAI's models, which no other provider can read.
    embeddings = OpenAIEmbeddings(
        model=provider.embedder, base_url=base_url, api_key=CLIENT_KEY, check_embedding_ctx_length=False
    )
    vectors = embeddings.embed_documents(["one", "two"])
    assert [len(vector) for vector in vectors] == [provider.dimensions] * 2
    assert embeddings.embed_query("one") == pytest.approx(vectors[0])
