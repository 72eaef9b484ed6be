"""Files of a web server with faults; `tests/helpers/served.py` counts what it sends."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from served import Served
from untrained import audio
from untrained.audio import fetching, places
from untrained.audio.fetching import Fetched, fetched
from untrained.audio.remote import RemotePath
from untrained.errors import AudioError

RATE = 44_100
FIRST_BYTES = 2**16


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 20 * RATE).astype(np.float32)
    for name in ("long.wav", "long.flac", "long.mp3", "long.ogg"):
        with soundfile.SoundFile(folder / name, "w", RATE, 1) as file:
            for start in range(0, len(noise), RATE):  # libsndfile cannot write much Ogg at once
                file.write(noise[start : start + RATE])
    soundfile.write(folder / "short.wav", noise[:RATE], RATE)
    (folder / "empty.wav").touch()
    (folder / "no sound.wav").write_text("a text that is not audio, but that has a suffix of audio")
    server = Served(folder)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch, server):
    """Make time-outs and pauses short, show every message, and undo what a test does to the server."""
    monkeypatch.setattr(places, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(places, "PAUSES_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(fetching, "FIRST_BYTES", FIRST_BYTES)
    monkeypatch.setattr(fetching, "_WHOLE_BYTES", FIRST_BYTES)
    monkeypatch.setattr(places, "_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(places, "_places", {})
    yield
    server.faults.clear()
    server.ranges, server.password = True, None
    server.sent()


def path_of(server, name, *, sized=True):
    size = (server.folder / name).stat().st_size if sized and (server.folder / name).is_file() else None
    return replace(RemotePath(server.url) / name, size=size)


def load(path, seconds=1.0):
    return audio.load(path, sample_rate=RATE, n_samples=int(seconds * RATE))


@pytest.mark.parametrize(
    ("name", "n_bytes"),
    [
        ("long.wav", 5 * FIRST_BYTES),
        ("long.flac", 5 * FIRST_BYTES),
        ("long.ogg", 4 * FIRST_BYTES),
        ("short.wav", 88_244),
    ],
)
def test_only_the_needed_part_is_fetched_and_decodes_as_a_local_file_does(server, name, n_bytes):
    local, remote = load(server.folder / name), load(path_of(server, name))
    np.testing.assert_array_equal(remote.waveform, local.waveform)
    assert (remote.seconds, remote.remarks) == (local.seconds, local.remarks)
    n_requests, n_sent = server.sent()
    assert n_sent <= n_bytes
    assert n_requests <= 4


@pytest.mark.parametrize("name", ["long.wav", "long.mp3", "long.ogg"])
def test_whole_files_decode_as_local_files_do(server, name):
    local, remote = load(server.folder / name, 21), load(path_of(server, name), 21)
    np.testing.assert_array_equal(remote.waveform, local.waveform)
    assert server.sent()[0] < 12


@pytest.mark.parametrize("sized", [True, False])
def test_a_server_without_ranges_sends_the_file_once(server, sized):
    server.ranges = False
    remote = load(path_of(server, "long.wav", sized=sized))
    np.testing.assert_array_equal(remote.waveform, load(server.folder / "long.wav").waveform)
    assert server.sent() == (1, (server.folder / "long.wav").stat().st_size)


def test_a_header_takes_one_request(server):
    assert audio.header(path_of(server, "long.wav")) == audio.header(server.folder / "long.wav")
    assert server.sent()[0] == 1


def test_the_text_of_a_url_is_a_path(server):
    assert load(f"{server.url}/short.wav").seconds == 1.0


@pytest.mark.parametrize("faults", [[500], [503, 429], ["cut"], ["hang"]])
def test_temporary_faults_are_tried_again_with_a_message(server, capsys, faults):
    server.faults["/short.wav"] = list(faults)
    assert load(path_of(server, "short.wav")).seconds == 1.0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(faults)
    assert lines[0].startswith(f"untrained: {server.url}/short.wav: ")
    assert lines[0].endswith("trying again in 0.01 s")


@pytest.mark.parametrize(
    ("name", "faults", "reason"),
    [
        ("short.wav", [503] * 3, "the server failed (503 Service Unavailable) (tried 3 times)"),
        ("short.wav", ["cut"] * 3, "the answer of the server broke off (tried 3 times)"),
        ("short.wav", ["hang"] * 3, "the server did not answer within 0.2 s (tried 3 times)"),
        ("long.wav", [None, 500, 500, 500], "the server failed (500 Internal Server Error) (tried 3 times)"),
        ("gone.wav", [], "there is no such file"),
        ("short.wav", [403], "access is refused (403 Forbidden)"),
        ("short.wav", [418], "the request failed (418 I'm a Teapot)"),
        ("empty.wav", [], "the file is empty (0 bytes)"),
        ("no sound.wav", [], "the file is text, not audio"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_error(server, capfd, name, faults, reason):
    server.faults[f"/{name}"] = list(faults)
    with pytest.raises(AudioError) as raised:
        load(path_of(server, name), 10)
    assert raised.value.reason == reason
    assert raised.value.path == str(RemotePath(server.url) / name)
    assert raised.value.remedy
    assert "Traceback" not in capfd.readouterr().err  # which libsndfile prints for an exception in a reader


def test_messages_hold_no_credentials(server, capsys):
    server.faults["/short.wav"] = [500, 403]
    with pytest.raises(AudioError) as raised:
        load(RemotePath(f"{server.url}/short.wav?Signature=hidden"))
    assert "hidden" not in str(raised.value) + capsys.readouterr().err
    assert server.requests[0][1] == "/short.wav?Signature=hidden"


def test_blocks_that_are_kept_have_a_limit(server, monkeypatch):
    monkeypatch.setattr(fetching, "_KEPT_BYTES", 2 * FIRST_BYTES)
    content = (server.folder / "long.wav").read_bytes()
    with fetched(path_of(server, "long.wav")) as file, file.open() as reader:
        assert reader.read() == content
        assert len(file._blocks) == 1
        reader.seek(-10, 2)
        assert reader.read() == content[-10:]
        reader.seek(5)
        assert reader.read(7) == content[5:12]


def test_a_failure_is_the_error_of_the_block_whatever_the_block_raises(server):
    def read_it():
        with fetched(path_of(server, "long.wav")) as file:
            server.faults["/long.wav"] = [404]
            assert file.read(FIRST_BYTES, 5) == b""
            raise ValueError("the decoder found no sound")

    with pytest.raises(AudioError, match="there is no such file"):
        read_it()


def test_a_read_after_a_taken_failure_tries_again(server):
    file = Fetched(path_of(server, "short.wav"))
    server.faults["/short.wav"] = [404]
    assert file.read(0, 4) == b""
    assert file.taken_failure().reason == "there is no such file"
    assert file.read(0, 4) == b"RIFF"
