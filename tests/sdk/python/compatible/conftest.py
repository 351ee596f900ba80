"""Fixtures for SDKs that speak OpenAI's dialect: stand-ins for all providers, and keymux in front of them."""

import base64
import itertools

import openai
import pytest
from harness import CLIENT_KEY, Keymux, Upstreams
from providers import PROVIDERS


def pytest_generate_tests(metafunc):
    if "provider" in metafunc.fixturenames and "provider" not in marked(metafunc):
        metafunc.parametrize("provider", PROVIDERS, ids=str)


def marked(metafunc):
    """The arguments that the test gives itself."""
    marks = metafunc.definition.iter_markers("parametrize")
    return [name.strip() for mark in marks for name in mark.args[0].split(",")]


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    upstreams = Upstreams(tmp_path_factory.mktemp("upstreams"))
    for provider in PROVIDERS:
        upstreams[provider.stand_in].set_keys({"key": provider.key})
    yield upstreams
    upstreams.stop()


@pytest.fixture
def upstreams(stand_ins, pooled):
    stand_ins.forget()
    return stand_ins


@pytest.fixture
def upstream(upstreams, provider):
    """What stands in for the provider of the test."""
    return upstreams[provider.stand_in]


@pytest.fixture(scope="session")
def pooled(stand_ins, tmp_path_factory):
    providers = {provider.name: provider.config(stand_ins, provider.key) for provider in PROVIDERS}
    keymux = Keymux(providers, tmp_path_factory.mktemp("keymux"))
    with openai.OpenAI(api_key=CLIENT_KEY, base_url=f"{keymux.url}/v1") as client:
        # It is answered once keymux has asked the providers, which then belongs to no test.
        client.models.list()
    yield keymux
    keymux.stop()


@pytest.fixture
def base_url(upstreams, pooled):
    """Where an SDK is to go: a keymux whose keys all work."""
    return f"{pooled.url}/v1"


@pytest.fixture
def connect():
    """Makes clients of OpenAI's SDK; they are closed when the test is over."""
    made = []

    def connect(keymux, key=CLIENT_KEY, **options):
        options = {"max_retries": 0, **options}
        client = openai.OpenAI(api_key=key, base_url=f"{keymux.url}/v1", **options)
        made.append(client)
        return client

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def client(upstreams, pooled, connect):
    return connect(pooled)


@pytest.fixture
def start_keymux(upstreams, tmp_path):
    """Starts a keymux of the test's own, which asks for no models by itself: `keys` are those of each provider by its
    name."""
    started = []

    def start_keymux(keys, **settings):
        folder = tmp_path / f"keymux-{len(started)}"
        folder.mkdir()
        providers = {provider.name: provider for provider in PROVIDERS}
        configs = {
            name: {**providers[name].config(upstreams, *of_it), "models_refresh": "0s"}
            for name, of_it in keys.items()
        }
        keymux = Keymux(configs, folder, **settings)
        started.append(keymux)
        return keymux

    yield start_keymux
    for keymux in started:
        keymux.stop()


@pytest.fixture
def fresh_key(tmp_path):
    """Names a key of a provider that no other test knows, so that nothing is held against it."""
    numbers = itertools.count()

    def fresh_key(provider):
        number = f"{next(numbers)}-{tmp_path.name}"
        if provider.kind != "gigachat":
            return f"{provider.name}-{number}"
        return base64.b64encode(f"giga:{number}".encode()).decode()

    return fresh_key
