"""Live sessions of the asynchronous client: connect, talk, send audio, call functions, go on elsewhere, use a token."""

import asyncio

import pytest
from google.genai import errors, types

from secured import Secured

MODEL = "gemini-live-2.5-flash"
TEXT = {"response_modalities": ["TEXT"]}


@pytest.fixture
def run(upstream, pooled, connect, tmp_path, monkeypatch):
    """Runs a coroutine function on an asynchronous client; it is also given what makes other clients."""
    front = Secured(pooled.url, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))

    def make(**options):
        return connect(front, **options).aio

    def run(story):
        asyncio.run(asyncio.wait_for(story(make), 30))

    yield run
    front.stop()


async def ask(session, text):
    turns = types.Content(role="user", parts=[types.Part(text=text)])
    await session.send_client_content(turns=turns, turn_complete=True)
    return await answer(session)


async def answer(session):
    """What is said until the turn is over."""
    return "".join([message.text or "" async for message in session.receive()])


def test_texts_are_answered(run):
    async def story(make):
        async with make().live.connect(model=MODEL, config=TEXT) as session:
            assert await ask(session, "Say hello") == "You said: Say hello"
            await session.send_realtime_input(text="And again")
            assert await answer(session) == "You said: And again"

    run(story)


def test_audio_is_sent_and_heard(run):
    sound = b"sound" * 5000

    async def story(make):
        config = {"response_modalities": ["AUDIO"]}
        async with make().live.connect(model=MODEL, config=config) as session:
            await session.send_realtime_input(audio=types.Blob(data=sound, mime_type="audio/pcm;rate=16000"))
            await session.send_realtime_input(audio_stream_end=True)
            heard, usage = b"", None
            async for message in session.receive():
                heard += message.data or b""
                usage = message.usage_metadata or usage
            assert heard == sound
            assert usage.total_token_count > 0

    run(story)


def test_functions_are_called(run):
    city = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    tools = [{"function_declarations": [{"name": "get_weather", "parameters": city}]}]

    async def story(make):
        async with make().live.connect(model=MODEL, config={**TEXT, "tools": tools}) as session:
            turns = types.Content(role="user", parts=[types.Part(text="How warm is it in Oslo?")])
            await session.send_client_content(turns=turns)
            async for message in session.receive():
                if message.tool_call:
                    break
            [call] = message.tool_call.function_calls
            assert call.args == {"city": "Oslo"}
            result = types.FunctionResponse(id=call.id, name=call.name, response={"celsius": 21})
            await session.send_tool_response(function_responses=result)
            assert await answer(session) == 'The function get_weather returned {"celsius":21}.'

    run(story)


def test_a_session_that_was_sent_away_goes_on_with_its_key(run, upstream):
    async def story(make):
        handle, goes = None, False
        async with make().live.connect(model=MODEL, config={**TEXT, "session_resumption": {}}) as session:
            await ask(session, "Please GO_AWAY")
            with pytest.raises(errors.APIError):
                while True:
                    async for message in session.receive():
                        if message.session_resumption_update:
                            handle = message.session_resumption_update.new_handle
                        goes = goes or message.go_away is not None
        assert handle and goes
        resumption = {"session_resumption": {"handle": handle}}
        async with make().live.connect(model=MODEL, config={**TEXT, **resumption}) as session:
            assert (await ask(session, "How many turns?")).endswith("has 3 turns.")
        first, next = upstream.seen()
        assert first["key"] == next["key"]

    run(story)


def test_a_token_opens_a_session_without_a_client_key(run):
    async def story(make):
        alpha = {"api_version": "v1alpha"}
        token = await make(**alpha).auth_tokens.create(config={"uses": 1})
        holder = make(key=token.name, **alpha)
        async with holder.live.connect(model=MODEL, config=TEXT) as session:
            assert await ask(session, "Say hello") == "You said: Say hello"
        with pytest.raises(Exception, match="too many times"):
            async with holder.live.connect(model=MODEL, config=TEXT):
                pass

    run(story)
