"""The asynchronous client, with either of the HTTP libraries that it knows."""

import asyncio

import httpx2
import pytest
from google.genai import errors, types

from harness import MODEL, eventually


def with_aiohttp():
    return {}


def with_httpx():
    return {"httpx_async_client": httpx2.AsyncClient()}


@pytest.fixture(params=[with_aiohttp, with_httpx], ids=["aiohttp", "httpx"])
def run(request, upstream, pooled, connect):
    """Runs a coroutine function on an asynchronous client."""

    def run(story, keymux=pooled, **options):
        async def session():
            client = connect(keymux, **options, **request.param()).aio
            try:
                await asyncio.wait_for(story(client), 20)
            finally:
                await client.aclose()

        asyncio.run(session())

    return run


async def read(client, contents="Say hello"):
    stream = await client.models.generate_content_stream(model=MODEL, contents=contents)
    return "".join([chunk.text async for chunk in stream])


def test_answers_and_streams_come_side_by_side(run):
    async def story(client):
        asked = [client.models.generate_content(model=MODEL, contents=f"Say {n}") for n in range(10)]
        streamed = [read(client, f"Say {n}") for n in range(10)]
        answers = await asyncio.gather(*asked, *streamed)
        said = [f"You said: Say {n}" for n in range(10)]
        assert [answer.text for answer in answers[:10]] == said
        assert answers[10:] == said

    run(story)


def test_a_chat_calls_functions(run):
    async def get_weather(city: str) -> dict:
        """The weather in a city."""
        return {"celsius": 21, "city": city}

    async def story(client):
        chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[get_weather]))
        answer = await chat.send_message("How warm is it in Oslo?")
        assert "The function get_weather returned" in answer.text and "Oslo" in answer.text

    run(story)


def test_models_are_listed_counted_and_embedded(run):
    async def story(client):
        names = [model.name async for model in await client.models.list(config={"page_size": 20})]
        assert f"models/{MODEL}" in names and len(names) > 50
        assert (await client.models.count_tokens(model=MODEL, contents="Say hello")).total_tokens > 0
        embedded = await client.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])
        assert len(embedded.embeddings) == 2

    run(story)


def test_a_file_of_several_pieces_is_uploaded_and_used(run, upstream, tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"0123456789" * 1_000_000)

    async def story(client):
        file = await client.files.upload(file=path, config={"display_name": "long"})
        assert file.size_bytes == 10_000_000
        answer = await client.models.generate_content(model=MODEL, contents=[file, "Sum it up"])
        assert answer.text.startswith("The file long has 10000000 bytes.")
        seen = upstream.seen()
        assert len(seen) == 4
        assert all(call["key"].startswith("AIza-pool-") for call in seen)

    run(story)


def test_errors_are_the_sdks(run, start_keymux, upstream):
    async def story(client):
        with pytest.raises(errors.ClientError) as caught:
            await client.models.generate_content(model="gemini-0-none", contents="Say hello")
        assert caught.value.code == 404
        upstream.add_rules({"then": {"cut_after_chunks": 2}})
        with pytest.raises(errors.ServerError) as caught:
            await read(client)
        assert caught.value.code == 503

    run(story, start_keymux())


def test_failing_keys_are_passed_over(run, start_keymux, upstream):
    faults = [{"fault": "invalid"}, {"fault": "overloaded"}, {}]
    keymux = start_keymux(first=faults, pool={"request_timeout": "1s"})
    upstream.add_rules({"key": keymux.keys[2], "then": "stall_before_head"})

    async def story(client):
        assert (await client.models.generate_content(model=MODEL, contents="Say hello")).text
        assert await read(client) == "You said: Say hello"

    run(story, keymux)


def test_a_task_that_is_cancelled_in_mid_stream_stops_upstream(run, upstream):
    upstream.add_rules({"then": {"stall_after_chunks": 2}})

    async def story(client):
        heard = asyncio.Event()

        async def listen():
            async for chunk in await client.models.generate_content_stream(model=MODEL, contents="Say hello"):
                assert chunk.text
                heard.set()

        listening = asyncio.create_task(listen())
        await heard.wait()
        assert not upstream.seen()[0]["finished"]
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        eventually("the provider is left alone", lambda: upstream.seen()[0]["disconnected"])

    run(story)
