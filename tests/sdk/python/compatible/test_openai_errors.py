"""What goes wrong, as exceptions of OpenAI's SDK: the caller's mistakes, a wrong client key and its limits, a pool with
nothing left; and chains of providers, which go on where one is down."""

import openai
import pytest
from asking import SAY_HELLO
from providers import PROVIDERS

LIMITED_KEY = "sk-sdk-limited-0001"


def ask(client, model, **options):
    return client.chat.completions.create(**{"model": model, "messages": SAY_HELLO, **options})


def read(client, model, **options):
    return list(ask(client, model, stream=True, **options))


both_ways = pytest.mark.parametrize("call", [ask, read], ids=["whole", "stream"])


def refused(error, call, *arguments, **options):
    """The SDK's exception, with an error object as OpenAI writes it."""
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert type(caught.value) is error
    assert caught.value.body["message"] and caught.value.type
    return caught.value


def down(upstream):
    upstream.add_rules({"then": {"respond": {"status": 503, "body": "{}"}}})


@both_ways
def test_a_wrong_client_key_is_refused(call, provider, pooled, connect, upstream):
    error = refused(openai.AuthenticationError, call, connect(pooled, key="sk-sdk-nobody"), provider.chat)
    assert error.status_code == 401 and error.code == "invalid_api_key"
    assert "sk-sdk-nobody" not in str(error)
    assert upstream.seen() == []


@both_ways
def test_an_unknown_model_of_a_provider_is_not_found(call, provider, client):
    error = refused(openai.NotFoundError, call, client, f"{provider.name}/none-such-1")
    assert error.code == "model_not_found"
    assert provider.key not in str(error)


@both_ways
def test_a_name_that_leads_nowhere_is_not_found(call, client):
    error = refused(openai.NotFoundError, call, client, "none-such-1")
    assert error.code == "model_not_found" and error.param == "model"


@both_ways
def test_a_malformed_request_is_refused(call, provider, client):
    error = refused(openai.BadRequestError, call, client, provider.chat, messages=[])
    assert "messages" in str(error)
    assert error.type == "invalid_request_error"


def test_a_client_keys_own_limit_is_a_rate_limit(provider, start_keymux, fresh_key, connect, upstream):
    clients = [{"name": "limited", "key": LIMITED_KEY, "rpm": 1}]
    key = fresh_key(provider)
    upstream.set_keys({"key": key})
    limited = connect(start_keymux({provider.name: [key]}, clients=clients), key=LIMITED_KEY)
    assert ask(limited, provider.chat)
    error = refused(openai.RateLimitError, ask, limited, provider.chat)
    assert error.code == "rate_limit_exceeded"
    assert 1 <= int(error.response.headers["retry-after"]) <= 60
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"


@both_ways
def test_an_exhausted_pool_is_not_the_callers_fault(call, provider, start_keymux, fresh_key, connect, upstream):
    dead, throttled = fresh_key(provider), fresh_key(provider)
    limits = [{"model": "*", "measure": "rpm", "value": 1}]
    upstream.set_keys({"key": dead, "fault": "invalid"}, {"key": throttled, "limits": limits})
    # Where an account has turns, a request stands in line until then.
    keymux = start_keymux({provider.name: [dead, throttled]}, retry={"deadline": "2s"})
    client = connect(keymux)
    assert call(client, provider.chat)
    error = refused(openai.InternalServerError, call, client, provider.chat)
    assert error.status_code == 503
    assert int(error.response.headers["retry-after"]) >= 1
    assert dead not in str(error) and throttled not in str(error)


def test_keys_that_fail_are_passed_over(provider, start_keymux, fresh_key, connect, upstream):
    keys = [fresh_key(provider) for _ in range(3)]
    upstream.set_keys(*({"key": key} for key in keys))
    client = connect(start_keymux({provider.name: keys}))
    refusal = {"respond": {"status": 500, "body": "{}"}}
    for key, deed in zip(keys, ["reset", refusal]):
        upstream.add_rules({"key": key, "path_contains": provider.path, "then": deed})
    raw = client.chat.completions.with_raw_response.create(model=provider.chat, messages=SAY_HELLO)
    assert raw.headers["x-keymux-attempts"] == "3"
    assert raw.parse().choices[0].message.content == provider.said("Say hello")
    chunks = read(client, provider.chat)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == provider.said("Say hello")


@both_ways
@pytest.mark.parametrize(
    ("first", "then"),
    [(one, PROVIDERS[place - 1]) for place, one in enumerate(PROVIDERS)],
    ids=str,
)
def test_a_chain_goes_on_where_a_provider_is_down(call, first, then, start_keymux, fresh_key, connect, upstreams):
    keys = {provider.name: [fresh_key(provider)] for provider in (first, then)}
    for provider in (first, then):
        upstreams[provider.stand_in].set_keys({"key": keys[provider.name][0]})
    settings = {"aliases": {"smart": [first.chat, then.chat]}, "retry": {"max_attempts": 1}}
    client = connect(start_keymux(keys, **settings))
    down(upstreams[first.stand_in])
    raw = client.chat.completions.with_raw_response.create(model="smart", messages=SAY_HELLO)
    assert raw.headers["x-keymux-provider"] == then.name
    assert call(client, "smart")
    assert "smart" in [model.id for model in client.models.list()]


def test_a_stream_that_breaks_off_ends_in_an_api_error(provider, client, upstream):
    upstream.add_rules({"path_contains": provider.path, "then": {"cut_after_chunks": provider.events_to_text}})
    heard = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in ask(client, provider.chat, stream=True):
            heard.append(chunk.choices[0].delta.content or "")
    assert caught.value.message
    assert "".join(heard) and provider.said("Say hello").startswith("".join(heard))


def test_the_sdks_own_retries_outlast_a_short_outage(provider, start_keymux, fresh_key, connect, upstream):
    key = fresh_key(provider)
    upstream.set_keys({"key": key})
    keymux = start_keymux({provider.name: [key]}, retry={"max_attempts": 1})
    upstream.add_rules({"times": 1, "then": {"respond": {"status": 503, "body": "{}"}}})
    answer = ask(connect(keymux, max_retries=3), provider.chat)
    assert answer.choices[0].message.content == provider.said("Say hello")
