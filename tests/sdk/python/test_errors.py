"""What goes wrong, as the SDK's own exceptions: the caller's mistakes in the provider's words, a wrong client key, and
a pool with nothing left."""

import pytest
from google.genai import errors

from harness import MODEL

ONE_A_MINUTE = [{"model": "*", "measure": "rpm", "value": 1}]


def ask(client, model=MODEL, **config):
    return client.models.generate_content(model=model, contents="Say hello", config=config)


def read(client, model=MODEL, **config):
    return list(client.models.generate_content_stream(model=model, contents="Say hello", config=config))


both_ways = pytest.mark.parametrize("call", [ask, read], ids=["generate", "stream"])


@both_ways
def test_an_unknown_model_is_not_found(call, start_keymux, connect, upstream):
    client = connect(start_keymux(first=[{}, {}]))
    with pytest.raises(errors.ClientError, match="models/gemini-0-none is not found") as caught:
        call(client, model="gemini-0-none")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    # One other project may know it; more are not asked.
    assert len(upstream.seen()) == 2
    assert call(client)


def test_an_unknown_model_is_not_found_however_often_it_is_asked_for(start_keymux, connect):
    client = connect(start_keymux(first=[{}, {}]))
    for _ in range(4):
        with pytest.raises(errors.APIError) as caught:
            ask(client, model="gemini-0-none")
        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


@both_ways
def test_a_wrong_request_is_refused_once(call, client, upstream):
    with pytest.raises(errors.ClientError, match='Unknown name "nonsense"') as caught:
        call(client, http_options={"extra_body": {"nonsense": 1}})
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert len(upstream.seen()) == 1
    assert call(client)


@both_ways
@pytest.mark.parametrize("key", ["sk-sdk-nobody", "AIza-pool-0"])
def test_a_wrong_client_key_is_refused(call, key, upstream, pooled, connect):
    with pytest.raises(errors.ClientError) as caught:
        call(connect(pooled, key=key))
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    assert key not in str(caught.value)
    assert upstream.seen() == []


@both_ways
def test_an_exhausted_pool_says_when_to_come_back(call, start_keymux, connect):
    keymux = start_keymux(first=[{"limits": ONE_A_MINUTE}, {"limits": ONE_A_MINUTE}], spare=False)
    client = connect(keymux)
    assert ask(client).text and ask(client).text
    for _ in range(2):
        with pytest.raises(errors.ServerError) as caught:
            call(client)
        assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 66


@both_ways
def test_keys_that_are_all_dead_are_not_the_callers_to_mend(call, start_keymux, connect):
    keymux = start_keymux(first=[{"fault": "invalid"}, {"fault": "suspended"}], spare=False)
    with pytest.raises(errors.ServerError) as caught:
        call(connect(keymux))
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    assert "API key" not in caught.value.message and "AIza" not in str(caught.value)


@both_ways
def test_the_sdks_own_retries_outlast_an_exhausted_pool(call, start_keymux, connect, upstream):
    keymux = start_keymux()
    refusal = {"respond": {"status": 429, "headers": {"retry-after": "1"}}}
    upstream.add_rules({"times": 1, "then": refusal})
    client = connect(keymux, retry_options={"attempts": 6, "initial_delay": 0.4, "max_delay": 0.4})
    assert call(client)


def test_missing_files_are_an_error_of_the_client(client):
    with pytest.raises(errors.ClientError) as caught:
        client.files.get(name="files/none-such")
    assert caught.value.code in (403, 404)
