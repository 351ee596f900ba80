"""Keys that fail, as an application sees them: not at all, but for a slightly slower answer."""

import time

import pytest

from harness import MODEL

# A key that does not answer is given up after this long.
POOL = {"request_timeout": "1s"}
# Far less than what any timeout of keymux or the SDK would take unless set.
SLIGHTLY_S = 10

REFUSALS = [
    "429_per_minute_requests",
    "429_per_day",
    "429_tokens_per_minute",
    "429_bare",
    "429_limit_zero",
    "500_internal",
    "502_html",
    "503_overloaded",
    "503_high_demand",
    "504_deadline",
]
FAULTS = ["invalid", "expired", "leaked", "suspended", "project_denied", "service_disabled", "prepay_depleted"]
DEEDS = {
    "stalls": "stall_before_head",
    "stalls after the head": "stall_after_head",
    "resets": "reset",
    "closes": "close",
    "says nothing": {"empty": "no_candidates"},
    "says an empty text": {"empty": "empty_text"},
    "talks garbage": "garbage",
}
STREAM_DEEDS = {
    "ends at once": {"end_after_chunks": 0},
    "is cut at once": {"cut_after_chunks": 0},
    "is reset at once": {"reset_after_chunks": 0},
    "begins with an error": {"error_after_chunks": {"chunks": 0, "fixture": "gemini/errors/503_overloaded.json"}},
}


def ask(client):
    return client.models.generate_content(model=MODEL, contents="Say hello").text


def read(client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Say hello"))
    return "".join(chunk.text for chunk in chunks)


both_ways = pytest.mark.parametrize("call", [ask, read], ids=["generate", "stream"])


def is_answered(call, keymux, upstream, connect, *, failing):
    """The call succeeds, in little time, after it was tried with each key that fails."""
    client = connect(keymux)
    began = time.monotonic()
    assert call(client) == "You said: Say hello"
    assert time.monotonic() - began < SLIGHTLY_S
    tried = [seen["key"] for seen in upstream.seen()]
    assert set(tried[:-1]) == set(keymux.keys[:failing])
    assert tried[-1] == keymux.keys[-1]


@both_ways
@pytest.mark.parametrize("fault", FAULTS)
def test_dead_keys_are_passed_over(call, fault, start_keymux, upstream, connect):
    keymux = start_keymux(first=[{"fault": fault}] * 3)
    is_answered(call, keymux, upstream, connect, failing=3)
    # And never tried again.
    upstream.forget()
    assert call(connect(keymux))
    assert [seen["key"] for seen in upstream.seen()] == keymux.keys[-1:]


@both_ways
@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals_are_passed_over(call, refusal, start_keymux, upstream, connect):
    keymux = start_keymux(first=[{}], pool=POOL)
    extension = "html" if refusal.endswith("html") else "json"
    fixture = f"gemini/errors/{refusal}.{extension}"
    upstream.add_rules({"key": keymux.keys[0], "then": {"fixture": fixture}})
    is_answered(call, keymux, upstream, connect, failing=1)


@both_ways
@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_keys_that_misbehave_are_passed_over(call, deed, start_keymux, upstream, connect):
    keymux = start_keymux(first=[{}], pool=POOL)
    upstream.add_rules({"key": keymux.keys[0], "then": deed})
    is_answered(call, keymux, upstream, connect, failing=1)


@pytest.mark.parametrize("deed", STREAM_DEEDS.values(), ids=STREAM_DEEDS)
def test_streams_that_fail_before_they_say_a_word_are_begun_anew(deed, start_keymux, upstream, connect):
    keymux = start_keymux(first=[{}], pool=POOL)
    upstream.add_rules({"key": keymux.keys[0], "then": deed})
    is_answered(read, keymux, upstream, connect, failing=1)


def test_a_throttled_model_is_asked_of_other_keys_and_other_models_go_on(start_keymux, upstream, connect):
    once = [{"model": MODEL, "measure": "rpm", "value": 1}]
    keymux = start_keymux(first=[{"limits": once}])
    client = connect(keymux)
    for _ in range(3):
        assert ask(client) == "You said: Say hello"
    client.models.generate_content(model="gemini-2.5-flash", contents="Say hello")
    first, spare = keymux.keys
    # Used, throttled, passed over; and the first choice for the other model.
    assert [seen["key"] for seen in upstream.seen()] == [first, first, spare, spare, first]


@both_ways
def test_with_most_keys_failing_every_call_is_answered(call, start_keymux, upstream, connect):
    throttled = {"limits": [{"model": "*", "measure": "rpm", "value": 1}]}
    keymux = start_keymux(first=[throttled, {"fault": "overloaded"}, throttled, *[{"fault": "invalid"}] * 20])
    client = connect(keymux)
    for _ in range(10):
        assert call(client) == "You said: Say hello"
