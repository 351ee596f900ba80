"""Fixtures: one stand-in for Google for the whole run, empty before each test; a keymux for the tests of a module that
use it as it comes, and a keymux of its own for each test that makes its keys fail."""

import itertools
import os

import pytest
from google import genai

from harness import CLIENT_KEY, Keymux, Upstream

PROJECT = "team-a"
# Of one project, so that a file that one of them brought can be used with all of them.
POOL = [f"AIza-pool-{number}" for number in range(3)]


def pytest_configure():
    # They would lead the SDKs elsewhere.
    settings = ("GOOGLE_", "GEMINI_", "OPENAI_", "LITELLM_", "LANGCHAIN_", "LANGSMITH_")
    for name in list(os.environ):
        if name.startswith(settings) or name.lower().endswith("_proxy"):
            del os.environ[name]


def google(upstream, keys):
    """The providers of a keymux with these keys of Google's. Models are not asked for: each request is a test's."""
    return {"google": {"kind": "gemini", "base_url": upstream.url, "keys": keys, "models_refresh": "0s"}}


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    upstream = Upstream(tmp_path_factory.mktemp("upstream"))
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(stand_in):
    stand_in.forget()
    stand_in.set_keys(*({"key": key, "project": PROJECT} for key in POOL))
    return stand_in


@pytest.fixture(scope="module")
def pooled(stand_in, tmp_path_factory):
    keys = [{"key": key, "project": PROJECT} for key in POOL]
    keymux = Keymux(google(stand_in, keys), tmp_path_factory.mktemp("keymux"))
    yield keymux
    keymux.stop()


@pytest.fixture
def connect():
    """Makes clients of the SDK; they are closed when the test is over."""
    made = []

    def connect(keymux, key=CLIENT_KEY, **options):
        client = genai.Client(api_key=key, http_options={"base_url": keymux.url, **options})
        made.append(client)
        return client

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def client(upstream, pooled, connect):
    """An SDK client of a keymux whose keys all work."""
    return connect(pooled)


@pytest.fixture
def start_keymux(upstream, tmp_path):
    """Starts a keymux of the test's own.

    It tries `first`, keys as fake-upstream lists them, before the one key `spare` that works. All
    of them are unknown to other tests, so that no quota is used up yet.
    """
    started = []
    fresh = itertools.count()

    def start_keymux(first=(), spare=True, **settings):
        name = f"AIza-{tmp_path.name}-{next(fresh)}"
        keys = [{**fault, "key": f"{name}-first-{n}"} for n, fault in enumerate(first)]
        pool = [{"key": key["key"], "priority": 0} for key in keys]
        if spare:
            keys.append({"key": f"{name}-spare"})
            pool.append({"key": f"{name}-spare", "priority": 1})
        upstream.set_keys(*keys)
        folder = tmp_path / f"keymux-{len(started)}"
        folder.mkdir()
        keymux = Keymux(google(upstream, pool), folder, **settings)
        keymux.keys = [key["key"] for key in keys]
        started.append(keymux)
        return keymux

    yield start_keymux
    for keymux in started:
        keymux.stop()
