"""What is asked about models and of models that do not speak: lists, token counts, embeddings, versions of the API."""

import pytest
from google.genai import types

from harness import MODEL

EMBEDDER = "gemini-embedding-001"


def test_models_are_listed_page_by_page(client, upstream):
    pager = client.models.list(config={"page_size": 25})
    assert len(pager.page) == 25
    names = [model.name for model in pager]
    assert f"models/{MODEL}" in names
    assert len(names) == len(set(names)) > 50
    pages = [seen for seen in upstream.seen() if "models" in seen["path_and_query"]]
    assert len(pages) == 3
    assert all("pageSize=25" in page["path_and_query"] for page in pages)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_each_version_of_the_api_is_served(version, upstream, pooled, connect):
    client = connect(pooled, api_version=version)
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"
    assert len(client.models.list(config={"page_size": 10}).page) == 10
    answer = client.models.generate_content(model=MODEL, contents="Say hello")
    assert answer.text == "You said: Say hello"
    stream = client.models.generate_content_stream(model=MODEL, contents="Say hello")
    assert "".join(chunk.text for chunk in stream) == "You said: Say hello"
    seen = upstream.seen()
    assert len(seen) == 4
    assert all(call["path_and_query"].startswith(f"/{version}/models") for call in seen)


def test_a_base_url_may_end_with_a_slash(upstream, pooled, connect):
    client = connect(pooled, base_url=f"{pooled.url}/")
    answer = client.models.generate_content(model=MODEL, contents="Say hello")
    assert answer.text == "You said: Say hello"
    assert "//" not in upstream.seen()[0]["path_and_query"]


def test_tokens_are_counted(client):
    short = client.models.count_tokens(model=MODEL, contents="Say hello")
    long = client.models.count_tokens(model=MODEL, contents="Say hello " * 100)
    assert 0 < short.total_tokens < long.total_tokens


def test_texts_are_embedded(client):
    config = types.EmbedContentConfig(output_dimensionality=16)
    embedded = client.models.embed_content(model=EMBEDDER, contents=["one", "two", "one"], config=config)
    first, second, third = (embedding.values for embedding in embedded.embeddings)
    assert len(first) == 16
    assert first == third != second


def test_embeddings_are_long_unless_told_otherwise(client):
    embedded = client.models.embed_content(model=EMBEDDER, contents="one")
    assert [len(embedding.values) for embedding in embedded.embeddings] == [3072]


def test_callers_credentials_stay_with_keymux(client, pooled, upstream):
    client.models.generate_content(model=MODEL, contents="Say hello")
    client.models.list(config={"page_size": 5})
    for call in upstream.seen():
        assert call["key"].startswith("AIza-pool-")
        assert "sk-sdk" not in str(call)
    assert "AIza" not in pooled.log() and "sk-sdk" not in pooled.log()
