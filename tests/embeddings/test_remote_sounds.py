"""Embeddings of one data set that is read from a folder, an archive, a web server and an object store."""

import shutil

import numpy as np
import pytest
import soundfile
from served import Served
from untrained.audio import places
from untrained.datamodules.folder import AudioFolder
from untrained.errors import AudioError, DataError
from untrained.frontends.baselines import MFCC


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder that holds `data`, with a file of each of four formats, and `data.zip`."""
    folder = tmp_path_factory.mktemp("made")
    for number, name in enumerate(["high/0.wav", "high/1.flac", "low/0.ogg", "low/1.mp3"]):
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 16_000)
        soundfile.write(folder / "data" / name, noise, 16_000)
    shutil.make_archive(str(folder / "data"), "zip", folder / "data")
    return folder


@pytest.fixture
def server(made, monkeypatch):
    monkeypatch.setattr(places, "_places", {})
    monkeypatch.setattr(places, "PAUSES_SECONDS", (0.0,))
    monkeypatch.setattr(places, "_last_said", float("-inf"))
    server = Served(made)
    yield server
    server.close()


@pytest.fixture(scope="module")
def bucket(made):
    """Object store with the data set in `s3://bucket/data` and `s3://bucket/data.zip`."""
    moto = pytest.importorskip("moto.server", reason="needs the extra dev")
    fsspec = pytest.importorskip("s3fs", reason="needs the extra remote")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ACCESS_KEY_ID": "me",
            "SECRET_ACCESS_KEY": "hidden",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(f"AWS_{name}", value)
        server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setattr("werkzeug._internal._log", lambda *arguments, **options: None)
        store = fsspec.S3FileSystem(skip_instance_cache=True)
        store.mkdir("bucket")
        store.put(str(made / "data"), "bucket/data", recursive=True)
        store.put(str(made / "data.zip"), "bucket/data.zip")
        yield store
        server.stop()


def read(root, **arguments):
    return AudioFolder(str(root), seconds=1, **arguments)


def test_embeddings_are_equal_in_a_folder_an_archive_and_on_a_web_server(made, server, tmp_path, embed):
    extraction, X = embed(read(made / "data"), tmp_path, MFCC())
    for root in (made / "data.zip", f"{server.url}/data", f"{server.url}/data.zip"):
        other, Y = embed(read(root), tmp_path, MFCC())
        assert [row.id for row in other.store.rows] == [row.id for row in extraction.store.rows]
        assert other.n_computed == 4
        assert not other.notes
        np.testing.assert_array_equal(X, Y)
        assert embed(read(root), tmp_path, MFCC())[0].n_computed == 0


@pytest.mark.dev
@pytest.mark.usefixtures("bucket")
def test_embeddings_are_equal_in_an_object_store(made, tmp_path, embed, monkeypatch):
    monkeypatch.setattr(places, "_places", {})
    _, X = embed(read(made / "data"), tmp_path, MFCC())
    for root, n_workers in (("s3://bucket/data", 0), ("s3://bucket/data", 1), ("s3://bucket/data.zip", 0)):
        other, Y = embed(read(root, num_workers=n_workers, cache="off"), tmp_path / str(n_workers), MFCC())
        assert other.n_computed == 4
        np.testing.assert_array_equal(X, Y)
        assert embed(read(root), tmp_path / str(n_workers), MFCC())[0].n_computed == 0


@pytest.mark.dev
def test_faults_of_an_object_store(bucket, monkeypatch):
    monkeypatch.setattr(places, "_places", {})
    monkeypatch.setattr(places, "PAUSES_SECONDS", (0.0,))
    data = read("s3://bucket/data")
    assert all(stamp.mtime_ns > 10**18 for stamp in data.stamps().values())
    bucket.rm("bucket/data/low/0.ogg")
    clip = next(clip for clip in data.listed if clip.id == "low/0.ogg")
    with pytest.raises(AudioError, match=r"cannot use s3://bucket/data/low/0.ogg: there is no such file"):
        data.read(clip, 12_000)
    for root, message in (
        ("s3://absent/data", "no folder at root='s3://absent/data'"),
        ("s3://bucket/absent", "no files at root='s3://bucket/absent'"),
    ):
        with pytest.raises(DataError, match=message):
            read(root).listed  # noqa: B018
    monkeypatch.setattr(places, "_places", {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(
        DataError, match=r"root='s3://bucket/data': the server failed \(Could not connect.*tried 2 times"
    ):
        read("s3://bucket/data").listed  # noqa: B018


@pytest.mark.dev
@pytest.mark.usefixtures("bucket")
def test_refused_and_absent_credentials_of_an_object_store(made, monkeypatch):
    monkeypatch.setattr(places, "_places", {})
    with monkeypatch.context() as patch:
        patch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)
        with pytest.raises(DataError, match=r"root='s3://bucket/data': access is refused \(.*check the credentials"):
            read("s3://bucket/data").listed  # noqa: B018
    monkeypatch.setattr(places, "_places", {})
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made / "absent"))
    with pytest.raises(DataError, match=r"root='s3://bucket/data': access is refused \(.*check the credentials"):
        read("s3://bucket/data").listed  # noqa: B018


def test_what_is_computed_is_kept_if_the_server_fails(server, tmp_path, embed, capsys):
    server.faults["/data/low/0.ogg"] = [None, *[503] * 9]
    with pytest.raises(
        AudioError, match=r"low/0.ogg: the server failed \(503 .*tried 2 times.*what is computed is kept"
    ):
        embed(read(f"{server.url}/data", batch_size=1), tmp_path, MFCC())
    assert "trying again" in capsys.readouterr().err
    other, _ = embed(read(f"{server.url}/data", on_error="skip", cache="off"), tmp_path, MFCC())
    assert (other.n_computed, list(other.failed)) == (1, ["low/0.ogg"])
    server.faults.clear()
    assert embed(read(f"{server.url}/data"), tmp_path, MFCC())[0].n_computed == 1
