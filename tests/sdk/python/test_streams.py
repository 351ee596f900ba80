"""Streams after their first word: broken off they end in the SDK's error, left early they stop upstream."""

import pytest
from google.genai import errors

from harness import MODEL, eventually

POOL = {"stream_idle_timeout": "1s"}
BREAKS = {
    "cut": ({"cut_after_chunks": 2}, 503),
    "reset": ({"reset_after_chunks": 2}, 503),
    "stalled": ({"stall_after_chunks": 2}, 504),
    "error": ({"error_after_chunks": {"chunks": 2, "fixture": "gemini/errors/503_overloaded.json"}}, 503),
}


def begin(client):
    return client.models.generate_content_stream(model=MODEL, contents="Say hello")


@pytest.mark.parametrize(("deed", "code"), BREAKS.values(), ids=BREAKS)
def test_a_stream_that_breaks_off_ends_in_an_api_error(deed, code, start_keymux, upstream, connect):
    keymux = start_keymux(pool=POOL)
    upstream.add_rules({"then": deed})
    read = []
    with pytest.raises(errors.ServerError) as caught:
        for chunk in begin(connect(keymux)):
            read.append(chunk.text)
    assert caught.value.code == code
    assert caught.value.message
    assert len(read) == 2 and "You said: Say hello".startswith("".join(read))
    # What has been said is not said again with another key.
    assert len(upstream.seen()) == 1


def test_a_chat_goes_on_after_a_stream_that_broke_off(start_keymux, upstream, connect):
    keymux = start_keymux()
    upstream.add_rules({"times": 1, "then": {"cut_after_chunks": 1}})
    chat = connect(keymux).chats.create(model=MODEL)
    with pytest.raises(errors.ServerError):
        list(chat.send_message_stream("How many turns?"))
    said = "".join(chunk.text for chunk in chat.send_message_stream("How many turns?"))
    assert "This conversation has 1 turns." in said


def test_a_stream_that_is_left_early_stops_upstream(client, upstream):
    upstream.add_rules({"then": {"stall_after_chunks": 2}})
    stream = begin(client)
    assert next(stream).text
    [seen] = upstream.seen()
    assert not seen["finished"]
    stream.close()
    eventually("the provider is left alone", lambda: upstream.seen()[0]["disconnected"])


def test_the_first_chunk_does_not_wait_for_the_last(client, upstream):
    upstream.add_rules({"then": {"stall_after_chunks": 1}})
    stream = begin(client)
    assert "You said: Say hello".startswith(next(stream).text)
    stream.close()
