"""OpenAI's asynchronous client, at every provider: many at once, and one that is cancelled."""

import asyncio

import openai
import pytest
from asking import SAY_HELLO, asked
from harness import CLIENT_KEY, eventually


@pytest.fixture
def run(base_url):
    """Runs a coroutine function on an asynchronous client."""

    def run(story):
        async def session():
            async with openai.AsyncOpenAI(api_key=CLIENT_KEY, base_url=base_url, max_retries=0) as client:
                await asyncio.wait_for(story(client), 20)

        asyncio.run(session())

    return run


async def read(client, provider, text):
    stream = await client.chat.completions.create(model=provider.chat, messages=asked(text), stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def test_answers_and_streams_come_side_by_side(run, provider):
    async def story(client):
        create = client.chat.completions.create
        whole = [create(model=provider.chat, messages=asked(f"Say {n}")) for n in range(5)]
        streamed = [read(client, provider, f"Say {n}") for n in range(5)]
        answers = await asyncio.gather(*whole, *streamed)
        said = [provider.said(f"Say {n}") for n in range(5)]
        assert [answer.choices[0].message.content for answer in answers[:5]] == said
        assert answers[5:] == said

    run(story)


def asks(upstream, provider):
    """The provider's records of chats, without those of tokens and lists."""
    return [call for call in upstream.seen() if provider.path in call["path_and_query"]]


def test_a_task_that_is_cancelled_in_mid_stream_stops_upstream(run, provider, upstream):
    upstream.add_rules({"path_contains": provider.path, "then": {"stall_after_chunks": provider.events_to_text}})

    async def story(client):
        heard = asyncio.Event()

        async def listen():
            async for chunk in await client.chat.completions.create(
                model=provider.chat, messages=SAY_HELLO, stream=True
            ):
                if chunk.choices[0].delta.content:
                    heard.set()

        listening = asyncio.create_task(listen())
        await heard.wait()
        assert not asks(upstream, provider)[0]["finished"]
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        eventually("the provider is left alone", lambda: asks(upstream, provider)[0]["disconnected"])

    run(story)


def test_a_task_that_is_cancelled_before_its_answer_stops_upstream(run, provider, upstream):
    upstream.add_rules({"path_contains": provider.path, "then": "stall_before_head"})

    async def story(client):
        asking = asyncio.create_task(client.chat.completions.create(model=provider.chat, messages=SAY_HELLO))
        await asyncio.to_thread(eventually, "the provider is asked", lambda: asks(upstream, provider))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        eventually("the provider is left alone", lambda: asks(upstream, provider)[0]["disconnected"])

    run(story)
