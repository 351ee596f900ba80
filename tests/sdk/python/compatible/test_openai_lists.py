"""Models and embeddings with OpenAI's SDK, at every provider."""

import math

import openai
import pytest
from providers import GOOGLE, PERPLEXITY, PROVIDERS


def embed(client, provider, texts, **options):
    answer = client.embeddings.create(model=provider.embedder, input=texts, **options)
    assert [entry.index for entry in answer.data] == list(range(len(answer.data)))
    assert answer.usage.total_tokens > 0
    return [entry.embedding for entry in answer.data]


# Unless told otherwise, the SDK asks for base64 and reads that.
@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}], ids=["default", "float"])
def test_texts_are_embedded(client, provider, options):
    first, second, third = embed(client, provider, ["one", "two", "one"], **options)
    for vector in (first, second):
        assert len(vector) == provider.dimensions
        assert all(type(value) is float and math.isfinite(value) for value in vector)
        assert any(vector)
    assert first == third != second


def test_both_encodings_say_the_same(client, provider):
    [by_default] = embed(client, provider, "one")
    [as_floats] = embed(client, provider, "one", encoding_format="float")
    assert by_default == pytest.approx(as_floats, abs=1e-6)


def test_models_of_every_provider_are_listed(client):
    ids = [model.id for model in client.models.list()]
    assert len(ids) == len(set(ids))
    assert {id.split("/")[0] for id in ids} == {provider.name for provider in PROVIDERS}
    for provider in PROVIDERS:
        assert provider is PERPLEXITY or provider.chat in ids
        assert provider.embedder in ids or not provider.lists_embedders


def test_every_listed_model_is_found_by_its_id(client, provider):
    ids = [model.id for model in client.models.list() if model.id.startswith(f"{provider.name}/")]
    for id in ids[:5]:
        model = client.models.retrieve(id)
        assert model.id == id and model.object == "model" and model.owned_by == provider.name


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_a_model_that_answers_is_found_by_the_same_id(client, provider):
    assert client.models.retrieve(provider.chat).id == provider.chat


@pytest.mark.parametrize("provider", [GOOGLE], ids=str)
def test_an_unknown_model_is_not_found_and_the_nearest_named(client, provider):
    with pytest.raises(openai.NotFoundError, match=r"did you mean .*gemini-3\.8-flash") as caught:
        client.models.retrieve("google/gemini-3.8-flesh")
    assert caught.value.code == "model_not_found"
