"""What belongs to a project, over a pool of twenty projects: files used together, caches, batches, stores, lists, another
client, and a program that is killed."""

import pytest
from google.genai import errors, types

from conftest import google
from harness import CLIENT_KEY, MODEL, Keymux

OTHER_KEY = "sk-sdk-caller-0002"
CLIENTS = [{"name": "sdk", "key": CLIENT_KEY}, {"name": "other", "key": OTHER_KEY}]
POOL = [f"AIza-project-{number:02}" for number in range(20)]


def start(upstream, folder):
    return Keymux(google(upstream, POOL), folder, clients=CLIENTS)


@pytest.fixture(scope="module")
def wide(stand_in, tmp_path_factory):
    """keymux with twenty keys, each of a project of its own."""
    keymux = start(stand_in, tmp_path_factory.mktemp("wide"))
    yield keymux
    keymux.stop()


@pytest.fixture
def both(stand_in, wide, connect):
    """Two clients of it that have nothing to do with each other."""
    stand_in.forget()
    stand_in.set_keys(*({"key": key} for key in POOL))
    return connect(wide), connect(wide, OTHER_KEY)


def upload(client, folder, name="notes"):
    path = folder / f"{name}.txt"
    path.write_text(name * 100)
    return client.files.upload(file=path, config={"display_name": name, "mime_type": "text/plain"})


def is_hidden(call):
    with pytest.raises(errors.ClientError) as caught:
        call()
    return caught.value.code in (403, 404)


def refused_with(call):
    """The status with which the part of the SDK that has errors of its own is refused."""
    with pytest.raises(Exception) as caught:
        call()
    return caught.value.status_code


def test_two_files_are_used_in_one_request_a_hundred_times(both, tmp_path):
    for turn in range(100):
        client = both[turn % 2]
        one, other = upload(client, tmp_path, "one"), upload(client, tmp_path, "other")
        answer = client.models.generate_content(model=MODEL, contents=[one, other, "Compare"])
        assert "one has 300 bytes" in answer.text
        assert "other has 500 bytes" in answer.text


def test_a_cache_is_used_prolonged_and_deleted(both, tmp_path):
    client, other = both
    file = upload(client, tmp_path)
    cache = client.caches.create(model=MODEL, config={"contents": [file], "ttl": "600s"})
    for _ in range(5):
        answer = client.models.generate_content(model=MODEL, contents="And?", config={"cached_content": cache.name})
        assert answer.text
    assert is_hidden(lambda: other.caches.get(name=cache.name))
    client.caches.update(name=cache.name, config={"ttl": "1200s"})
    assert cache.name in [listed.name for listed in client.caches.list()]
    assert cache.name not in [listed.name for listed in other.caches.list()]
    client.caches.delete(name=cache.name)
    assert is_hidden(lambda: client.caches.get(name=cache.name))


def test_a_batch_is_followed_to_its_results(both, tmp_path):
    client, other = both
    file = upload(client, tmp_path)
    batch = client.batches.create(model=MODEL, src=file.name)
    done = client.batches.get(name=batch.name)
    assert done.state.name == "JOB_STATE_SUCCEEDED"
    assert b"candidates" in client.files.download(file=done.dest.file_name)
    assert batch.name in [listed.name for listed in client.batches.list()]
    assert is_hidden(lambda: other.batches.get(name=batch.name))


def test_a_store_is_filled_and_searched(both, tmp_path):
    client, other = both
    store = client.file_search_stores.create(config={"display_name": "papers"})
    path = tmp_path / "paper.txt"
    path.write_text("words")
    operation = client.file_search_stores.upload_to_file_search_store(
        file_search_store_name=store.name, file=path, config={"mime_type": "text/plain"}
    )
    assert client.operations.get(operation).done
    search = types.Tool(file_search=types.FileSearch(file_search_store_names=[store.name]))
    for _ in range(3):
        assert client.models.generate_content(model=MODEL, contents="?", config={"tools": [search]}).text
    assert is_hidden(lambda: other.models.generate_content(model=MODEL, contents="?", config={"tools": [search]}))
    client.file_search_stores.delete(name=store.name)
    assert is_hidden(lambda: client.file_search_stores.get(name=store.name))


def test_an_interaction_is_gone_on_with_by_its_maker_only(both):
    client, other = both
    first = client.interactions.create(model=MODEL, input="My name is Ada")
    following = {"model": MODEL, "input": "What is it?", "previous_interaction_id": first.id}
    for _ in range(5):
        assert client.interactions.create(**following).id
    assert refused_with(lambda: other.interactions.create(**following)) in (403, 404)
    assert refused_with(lambda: other.interactions.get(first.id)) in (403, 404)


def test_lists_hold_what_is_theirs(both, tmp_path):
    client, other = both
    mine = {upload(client, tmp_path).name for _ in range(3)}
    theirs = {upload(other, tmp_path).name for _ in range(3)}
    assert mine <= {file.name for file in client.files.list(config={"page_size": 2})}
    assert not theirs & {file.name for file in client.files.list(config={"page_size": 2})}
    assert is_hidden(lambda: client.files.get(name=theirs.pop()))


def test_a_killed_program_knows_them_when_it_is_back(stand_in, connect, tmp_path):
    stand_in.set_keys(*({"key": key} for key in POOL))
    folder = tmp_path / "keymux"
    folder.mkdir()
    keymux = start(stand_in, folder)
    try:
        file = upload(connect(keymux), tmp_path)
        keymux.kill()
        keymux = start(stand_in, folder)
        client = connect(keymux)
        assert client.files.get(name=file.name).name == file.name
        other = upload(client, tmp_path, "other")
        assert client.models.generate_content(model=MODEL, contents=[file, other, "Compare"]).text
    finally:
        keymux.stop()
