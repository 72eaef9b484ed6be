"""One small data set in a folder, in archives, and on a web server."""

import shutil
import zipfile

import numpy as np
import pytest
import soundfile
from served import Served
from untrained.audio import places
from untrained.audio.remote import RemotePath
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.manifest import Manifest
from untrained.datamodules.remote import Listing, as_place, entries
from untrained.errors import AudioError, DataError, UsageError

FILES = ["high/a b.wav", "high/é.flac", "low/1#2.ogg", "low/3.mp3"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder that holds the data set as `data`, `data.zip`, `data.tar` and `data.tar.gz`, and tables of its files."""
    folder = tmp_path_factory.mktemp("made")
    for number, name in enumerate(FILES):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).uniform(-0.5, 0.5, 12_000), 12_000)
    (folder / "data" / "low" / "readme.txt").write_text("no sound")
    (folder / "data" / "low" / ".hidden.wav").write_text("no sound")
    (folder / "data" / "_noise").mkdir()
    soundfile.write(folder / "data" / "_noise" / "0.wav", np.zeros(100), 12_000)
    for kind in ("zip", "tar", "gztar"):
        shutil.make_archive(str(folder / "data"), kind, folder / "data")
    table = "path,label\n" + "".join(f"{name},{name.split('/')[0]}\n" for name in FILES)
    (folder / "data" / "list.csv").write_text(table, "utf-8")
    return folder


@pytest.fixture(scope="module")
def server(made):
    server = Served(made)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch, server):
    monkeypatch.setattr(places, "PAUSES_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(places, "_places", {})
    server.sent()
    server.faults.clear()


def folder(root, **arguments):
    return AudioFolder(str(root), seconds=1, exclude="_noise", **arguments)


ROOTS = ["{0}/data", "{0}/data.zip", "{0}/data.tar", "{0}/data.tar.gz", "zip://*::{0}/data.zip"]


@pytest.mark.parametrize("place", ["", "web"])
@pytest.mark.parametrize("root", ROOTS)
def test_a_data_set_is_the_same_in_every_place(made, server, root, place):
    local, data = folder(made / "data"), folder(root.format(server.url if place else made))
    assert data.dataset_name == "data"
    assert [(clip.id, clip.label) for clip in data.listed] == [(clip.id, clip.label) for clip in local.listed]
    assert [clip.id for clip in data.listed] == FILES
    for clip, other in zip(data.listed, local.listed, strict=True):
        assert data.stamp(clip).size == other.path.stat().st_size
        np.testing.assert_array_equal(data.read(clip, 12_000).waveform, local.read(other, 12_000).waveform)
    assert data.stamps() == folder(root.format(server.url if place else made)).stamps()
    assert data.n_other_files == (1 if "." in root[4:] else 2)  # the table is in no archive


def test_a_web_server_is_asked_for_each_size_once_and_an_archive_for_its_end(made, server):
    data = folder(f"{server.url}/data")
    data.stamps()
    n_sizes = sum(method == "HEAD" for method, *_ in server.requests)
    assert n_sizes == len(FILES) + 1  # and the excluded one
    assert server.sent()[0] == 4  # a page for each folder
    folder(f"{server.url}/data.zip").stamps()
    assert server.sent()[0] == 1


def test_a_changed_file_has_another_stamp(made, server, tmp_path):
    shutil.copytree(made / "data", tmp_path / "data")
    other = Served(tmp_path)
    before = folder(f"{other.url}/data").stamps()
    (tmp_path / "data" / FILES[0]).write_bytes((tmp_path / "data" / FILES[0]).read_bytes())
    after = folder(f"{other.url}/data").stamps()
    other.close()
    assert [name for name in FILES if before[name] != after[name]] == FILES[:1]


def test_a_temporary_fault_of_a_page_loses_no_clips(server):
    for fault in (500, "cut"):
        server.faults["/data/low"] = [fault]
        server.faults["/data/low/"] = [fault]
        assert len(folder(f"{server.url}/data").listed) == len(FILES)
    server.faults["/data/low"] = server.faults["/data/low/"] = [500] * 9
    with pytest.raises(DataError, match=r"root='.*/data': the server failed \(500.*tried 3 times"):
        folder(f"{server.url}/data").listed  # noqa: B018


@pytest.mark.parametrize("root", ["{0}/data", "zip://*::{0}/data.zip"])
def test_workers_make_their_own_connections(made, server, root):
    data = folder(root.format(server.url), num_workers=1)
    assert [name for batch in data.predict_dataloader() for name in batch.ids] == FILES


def test_a_file_that_vanishes_after_the_listing_is_an_error_of_its_clip(made, tmp_path):
    shutil.copytree(made / "data", tmp_path / "data")
    other = Served(tmp_path)
    data = folder(f"{other.url}/data", on_error="skip")
    assert len(data.listed) == len(FILES)
    (tmp_path / "data" / FILES[1]).unlink()
    (batch,) = data.predict_dataloader()
    other.close()
    assert batch.ids == [FILES[0], *FILES[2:]]
    ((name, error),) = batch.failed
    assert (name, error.reason) == (FILES[1], "there is no such file")


def test_a_damaged_member_of_an_archive_is_an_error_of_its_clip(made, tmp_path):
    content = bytearray((made / "data.zip").read_bytes())
    with zipfile.ZipFile(made / "data.zip") as archive:
        at = archive.getinfo(FILES[0]).header_offset
    content[at + 200 : at + 300] = bytes(100)
    (tmp_path / "damaged.zip").write_bytes(content)
    data = folder(tmp_path / "damaged.zip", on_error="skip")
    (batch,) = data.predict_dataloader()
    assert [(name, type(error)) for name, error in batch.failed] == [(FILES[0], AudioError)]
    assert "it cannot be read from its archive" in batch.failed[0][1].reason


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("{0}/nothing", r"no folder at root='http.*/nothing'; correct --data.root"),
        ("{0}/data/low/readme.txt", r"no files at root=.*--data manifest"),
        ("zip://*::{0}/nothing.zip", r"no folder at root='zip://::http.*/nothing.zip'"),
        ("zip://nothing::{0}/data.zip", r"no files at root='zip://nothing::"),
        ("zip://*::{0}/data/low/3.mp3", r"root=.*3.mp3 is not a complete zip archive"),
    ],
)
def test_places_without_a_data_set_raise(server, root, message):
    with pytest.raises(DataError, match=message):
        entries(as_place(root.format(server.url)))


def test_credentials_in_an_option_are_refused_and_not_shown():
    with pytest.raises(UsageError, match=r"--data.root https://host/x: the URL holds credentials") as raised:
        as_place("https://me:hidden@host/x")
    assert "hidden" not in str(raised.value)


def test_a_listing_leaves_out_excluded_and_hidden_files(made):
    listing = Listing(as_place(str(made / "data.zip")))
    found = listing.found(["_noise"])
    assert [path.as_posix() for path in found.files] == FILES
    assert [path.as_posix() for path in found.others] == ["low/readme.txt"]
    assert [path.as_posix() for path in found.folders] == ["high", "low"]
    assert (listing / FILES[0]).size == (made / "data" / FILES[0]).stat().st_size
    with pytest.raises(DataError, match=r"matches no folder below 'zip://::"):
        listing.found(["nois"])


@pytest.mark.parametrize("table", ["remote", "local"])
def test_a_table_of_paths_below_a_url(made, server, table):
    url = f"{server.url}/data"
    data = Manifest(f"{url}/list.csv") if table == "remote" else Manifest(str(made / "data" / "list.csv"), url)
    assert (data.dataset_name, data.source["root"]) == ("list", url)
    assert [clip.id for clip in data.listed] == FILES
    assert data.stamps() == folder(url).stamps()
    assert data.read(data.listed[0], 12_000).seconds == 1.0


def test_a_table_names_files_of_several_places(made, server, tmp_path):
    (tmp_path / "a.zip").write_bytes((made / "data.zip").read_bytes())
    names = [
        f"{server.url}/data/low/3.mp3?Signature=hidden",
        "zip://low/3.mp3::a.zip",
        f"zip://low/3.mp3::{server.url}/data.zip",
        str(made / "data" / "low" / "3.mp3"),
        f"{server.url}/data/absent.wav",
    ]
    (tmp_path / "list.csv").write_text("path\n" + "\n".join(names))
    data = Manifest(str(tmp_path / "list.csv"), seconds=1, on_error="skip")
    (batch,) = data.predict_dataloader()
    expected = {name.partition("?")[0] for name in names[:-1]}
    assert set(batch.ids) == expected
    assert [name for name, _ in batch.failed] == names[-1:]
    for waveform in batch.waveforms[1:]:
        np.testing.assert_array_equal(waveform, batch.waveforms[0])
    assert data.stamp(next(clip for clip in data.listed if clip.id == names[-1])) == (0, 0)


@pytest.mark.parametrize(
    "name", ["/etc/hosts", " /etc/hosts", "file:///etc/hosts", "zip://a.wav::/data/a.zip", "zip://a.wav::a.zip"]
)
def test_a_remote_table_must_not_name_local_files(tmp_path, name):
    (tmp_path / "list.csv").write_text(f"path\n{name}\n")
    other = Served(tmp_path)
    with pytest.raises(DataError, match=r"list.csv, line 2: .* names a file of this machine"):
        Manifest(f"{other.url}/list.csv").listed  # noqa: B018
    other.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("..", r"line 2: path='..' is outside root='http"),
        ("../a.wav", r"line 2: path='../a.wav' is outside root='http"),
        ("foo://a.wav", "line 2: foo://a.wav: unknown scheme 'foo'"),
    ],
)
def test_paths_that_a_table_must_not_hold(tmp_path, server, name, message):
    (tmp_path / "list.csv").write_text(f"path\n{name}\n")
    with pytest.raises(DataError, match=message):
        Manifest(str(tmp_path / "list.csv"), server.url).listed  # noqa: B018


def test_a_table_that_does_not_exist(server):
    with pytest.raises(DataError, match=r"/absent.csv: there is no such file; check the URL"):
        Manifest(f"{server.url}/absent.csv").listed  # noqa: B018


def test_a_remote_root_has_no_local_path():
    root = "memory://sounds/"  # needs no package besides fsspec
    assert AudioFolder(root).source == {"datamodule": "folder", "root": root}
    assert isinstance(as_place("memory://x"), RemotePath)
