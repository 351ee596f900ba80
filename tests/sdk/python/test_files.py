"""Files: uploaded in pieces through keymux and nowhere else, asked about, listed, fetched and deleted."""

import base64
import hashlib
from urllib.parse import urlsplit

import pytest

from harness import MODEL

MIB = 1024 * 1024
# The SDK sends pieces of 8 MiB.
SIZES = [
    pytest.param(0, 1, id="empty"),
    pytest.param(1, 1, id="one byte"),
    pytest.param(70_000, 1, id="70 kB"),
    pytest.param(8 * MIB, 1, id="one piece"),
    pytest.param(8 * MIB + 1, 2, id="a piece and a byte"),
    pytest.param(20 * MIB, 3, id="three pieces"),
]


@pytest.fixture
def traffic(upstream, pooled, connect):
    """A client, and the list of answers that it gets on the wire."""
    answers = []
    watch = {"event_hooks": {"response": [answers.append]}}
    return connect(pooled, client_args=watch), answers


def content(size):
    return hashlib.shake_128(b"a file").digest(min(size, MIB)) * (size // MIB + 1)


def write(folder, size):
    path = folder / "notes.txt"
    path.write_bytes(content(size)[:size])
    return path


def passed_only_through(keymux, upstream, answers, lists=False):
    """Every request went to keymux, and all that the provider saw came from there, with a key of the pool. A page of a
    list may take keymux more than one."""
    assert {f"http://{answer.url.netloc.decode()}" for answer in answers} == {keymux.url}
    ways = [answer.headers.get("x-goog-upload-url") for answer in answers]
    for way in filter(None, ways):
        assert way.startswith(f"{keymux.url}/upload/")
    seen = upstream.seen()
    assert len(seen) >= len(answers) if lists else len(seen) == len(answers)
    assert all(call["key"].startswith("AIza-pool-") for call in seen)


@pytest.mark.parametrize(("size", "pieces"), SIZES)
def test_a_file_is_uploaded_through_keymux(size, pieces, traffic, pooled, upstream, tmp_path):
    client, answers = traffic
    path = write(tmp_path, size)
    file = client.files.upload(file=path, config={"display_name": "notes", "mime_type": "text/plain"})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (file.size_bytes or 0) == size
    assert base64.b64decode(file.sha256_hash).decode() == digest
    assert file.display_name == "notes"
    begun, *sent = upstream.seen()
    assert [call["body_len"] for call in sent] == [min(8 * MIB, size - 8 * MIB * n) for n in range(pieces)]
    assert {call["key"] for call in sent} == {begun["key"]}
    passed_only_through(pooled, upstream, answers)


def test_an_uploaded_file_is_asked_about(traffic, pooled, upstream, tmp_path):
    client, answers = traffic
    file = client.files.upload(file=write(tmp_path, 5_000), config={"display_name": "notes", "mime_type": "text/plain"})
    answer = client.models.generate_content(model=MODEL, contents=[file, "Sum it up"])
    assert answer.text == "The file notes has 5000 bytes. You said: Sum it up"
    # What Google calls the file is a name, not a way to it.
    assert urlsplit(file.uri).netloc == urlsplit(upstream.url).netloc
    passed_only_through(pooled, upstream, answers)


def test_an_uploaded_file_is_found_fetched_and_deleted(traffic, pooled, upstream, tmp_path):
    client, answers = traffic
    path = write(tmp_path, 300_000)
    file = client.files.upload(file=path, config={"mime_type": "text/plain"})
    assert client.files.get(name=file.name).state.name == "ACTIVE"
    assert file.name in [listed.name for listed in client.files.list(config={"page_size": 1})]
    assert client.files.download(file=file.name) == path.read_bytes()
    client.files.delete(name=file.name)
    assert file.name not in [listed.name for listed in client.files.list()]
    passed_only_through(pooled, upstream, answers, lists=True)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_each_version_of_the_api_takes_files(version, connect, pooled, upstream, tmp_path):
    client = connect(pooled, api_version=version)
    file = client.files.upload(file=write(tmp_path, 10), config={"mime_type": "text/plain"})
    assert client.files.get(name=file.name).size_bytes == 10
    begun = upstream.seen()[0]["path_and_query"]
    assert begun.startswith(f"/upload/{version}/files")
