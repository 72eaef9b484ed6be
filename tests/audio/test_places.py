import errno
import sys
import tarfile
import zipfile

import aiohttp
import pytest
from untrained.audio import places
from untrained.audio.fetching import asked
from untrained.audio.places import Place, Unreachable, require_supported, tried
from untrained.audio.remote import RemotePath
from untrained.errors import UsageError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(places, "PAUSES_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(places, "_places", {})
    monkeypatch.setattr(places, "_last_said", float("-inf"))


def with_cause(error, cause):
    error.__cause__ = cause
    return error


def answer(status):
    return aiohttp.ClientResponseError(None, (), status=status, message="said")


class BotocoreError(Exception):
    def __init__(self, status):
        super().__init__("an error occurred")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.mark.parametrize(
    ("error", "n_calls", "reason"),
    [
        (FileNotFoundError("x"), 1, "there is no such file"),
        (with_cause(FileNotFoundError("x"), KeyError("x")), 1, "there is no such file"),
        (with_cause(FileNotFoundError("x"), answer(404)), 1, "there is no such file"),
        (with_cause(FileNotFoundError("x"), answer(403)), 1, "access is refused (403 said)"),
        (with_cause(FileNotFoundError("x"), answer(500)), 3, "the server failed (500 said) (tried 3 times)"),
        (
            with_cause(FileNotFoundError("x"), TimeoutError()),
            3,
            "the server did not answer within 30 s (tried 3 times)",
        ),
        (PermissionError("Forbidden"), 1, "access is refused (Forbidden)"),
        (with_cause(OSError(errno.EINVAL, "signed wrongly"), BotocoreError(403)), 1, "access is refused"),
        (with_cause(OSError(errno.EBUSY, "slow down"), BotocoreError(503)), 3, "the server failed"),
        (ConnectionResetError("reset"), 3, "the server failed (reset) (tried 3 times)"),
        (answer(429), 3, "the server failed (429 said) (tried 3 times)"),
        (answer(400), 1, "the request failed (400 said)"),
        (zipfile.BadZipFile("Bad CRC-32"), 1, "it cannot be read from its archive (Bad CRC-32)"),
        (ValueError("of https://me:secret@host/?key=1"), 1, "the request failed (of https://host/)"),
    ],
)
def test_only_temporary_failures_are_tried_again(error, n_calls, reason):
    calls = []

    def fail():
        calls.append(1)
        raise error

    with pytest.raises(Unreachable) as raised:
        tried(Place(None), "https://host/a.wav", fail)
    assert raised.value.reason.startswith(reason)
    assert raised.value.remedy
    assert len(calls) == n_calls


def test_a_process_shows_few_messages_about_retries(capsys):
    for _ in range(2):
        with pytest.raises(Unreachable):
            tried(Place(None), "s3://bucket/a.wav", lambda: (_ for _ in ()).throw(ConnectionError("reset")))
    assert capsys.readouterr().err == "untrained: s3://bucket/a.wav: the server failed (reset); trying again in 0 s\n"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "foo://bucket/x",
            "foo://bucket/x: unknown scheme 'foo'; expected a local path, or a URL that begins with s3://",
        ),
        ("zip://::foo://bucket/a.zip", "unknown scheme 'foo'"),
        ("simplecache::s3://bucket/x", "only members of archives have URLs of several parts"),
        ("zip://a.wav", "only members of archives have URLs of several parts"),
        ("s3://b/a.wav::/x/a.zip", "only members of archives have URLs of several parts"),
    ],
)
def test_unsupported_urls_raise(url, message):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        require_supported(RemotePath(url))


@pytest.mark.parametrize(
    ("scheme", "package", "remedy"),
    [("gs", "gcsfs", r"install it with: pip install 'untrained\[remote\]'"), ("abfs", "adlfs", "Install adlfs")],
)
def test_a_scheme_without_its_package_says_what_to_install(monkeypatch, scheme, package, remedy):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"{scheme}:// is not installed; {remedy}"):
        require_supported(RemotePath(f"{scheme}://bucket/x"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("reference://{0}", "the request failed ("),  # it needs arguments
        ("zip://::{0}/absent.zip", "there is no archive {0}/absent.zip"),
        ("zip://::{0}/half.zip", "{0}/half.zip is not a complete zip archive (File is not a zip file)"),
        ("tar://::{0}/half.tar", "{0}/half.tar is not a complete tar archive (unexpected end of data)"),
        ("tar://::{0}/half.tgz", "{0}/half.tgz is not a complete tar archive"),
        ("zip://::{0}", "the archive cannot be read (Is a directory)"),
    ],
)
def test_places_that_cannot_be_opened(tmp_path, url, reason):
    (tmp_path / "a.wav").write_bytes(bytes(range(256)) * 200)
    with zipfile.ZipFile(tmp_path / "half.zip", "w") as archive:
        archive.write(tmp_path / "a.wav")
    for name, mode in (("half.tar", "w"), ("half.tgz", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(tmp_path / "a.wav")
    for path in tmp_path.glob("half.*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreachable) as raised:
        asked(RemotePath(url.format(tmp_path)), lambda fs, inside: fs.info(inside))
    assert raised.value.reason.startswith(reason.format(tmp_path))


def test_each_process_makes_its_own_connections(monkeypatch):
    first = places.place_of(RemotePath("memory://a"), None)
    assert places.place_of(RemotePath("memory://a/b"), None) is first
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert places.place_of(RemotePath("memory://a"), None) is not first
