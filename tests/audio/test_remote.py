import copy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained.audio.remote import RemotePath, has_secret, is_remote, remote_root, without_secrets

NAMES = st.lists(st.text("ab .%?#&+é", min_size=1), min_size=1, max_size=3)


@pytest.mark.parametrize(
    "root", ["s3://bucket/data", "https://host/my%20data/", "zip://::/x.zip", "tar://in::s3://b/x.tar"]
)
@given(names=NAMES)
@settings(max_examples=30)
def test_a_path_below_a_folder_is_found_again(root, names):
    relative = "/".join(names)
    if not {".", ".."} & set(names):
        path = RemotePath(root) / relative
        assert path.below(RemotePath(root)) == relative
        assert path.name == names[-1]
        assert path.below(RemotePath("s3://other")) == ""


@pytest.mark.parametrize(
    ("url", "name", "stem", "suffix", "parent"),
    [
        ("s3://bucket/data/a.wav", "a.wav", "a", ".wav", "s3://bucket/data"),
        ("https://host/data/a%20b.wav?v=1", "a b.wav", "a b", ".wav", "https://host/data"),
        ("zip://low/a.wav::/x/data.zip", "a.wav", "a", ".wav", "zip://low::/x/data.zip"),
        ("zip://::/x/data.zip", "data", "data", "", "zip://::/x/data.zip"),
        ("tar://::s3://bucket/data.tar.gz", "data", "data", "", "tar://::s3://bucket/data.tar.gz"),
        ("https://host", "host", "host", "", "https://"),
    ],
)
def test_parts_of_a_path(url, name, stem, suffix, parent):
    path = RemotePath(url)
    assert (path.name, path.stem, path.suffix, str(path.parent)) == (name, stem, suffix, parent)


def test_paths_are_compared_by_url_and_can_be_sent_to_workers():
    path = RemotePath("s3://bucket/a.wav", size=5, mtime_ns=7)
    assert path == RemotePath("s3://bucket/a.wav")
    assert {path: 1}[RemotePath("s3://bucket/a.wav")] == 1
    assert copy.deepcopy(path).stat() == (5, 7)
    assert RemotePath("s3://bucket/a.wav").stat() == (0, 0)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("s3://bucket/data", "s3://bucket/data"),
        ("s3://bucket/data.zip", "zip://::s3://bucket/data.zip"),
        ("https://host/a.tar?v=1", "tar://::https://host/a.tar?v=1"),
        ("zip://*::/x/a.zip", "zip://::/x/a.zip"),
        ("zip://in/**::/x/a.zip", "zip://in::/x/a.zip"),
        ("zip://*::zip://in.zip::/x/a.zip", "zip://::zip://in.zip::/x/a.zip"),
        ("sounds", None),
        ("absent.zip", None),
    ],
)
def test_roots(name, url):
    found = remote_root(name)
    assert (found and found.url) == url


def test_the_path_of_a_local_archive_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.tgz").touch()
    Path("folder.zip").mkdir()
    assert remote_root("a.tgz").url == f"tar://::{tmp_path}/a.tgz"
    assert remote_root("tar://x::a.tgz").url == f"tar://x::{tmp_path}/a.tgz"
    assert remote_root("folder.zip") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host/a.wav", "https://host/a.wav"),
        ("https://host/a.wav?X-Amz-Signature=1&v=2", "https://host/a.wav"),
        ("zip://a.wav::https://host/a.zip?token=1", "zip://a.wav::https://host/a.zip"),
        ("zip://a.wav::zip://b.zip::https://me@host/a.zip?sig=1#x", "zip://a.wav::zip://b.zip::https://host/a.zip"),
        ("ftp://me:pw@host/a.wav", "ftp://host/a.wav"),
        ("https://me:p@ss@host/a.wav", "https://host/a.wav"),
        ("https://host/a.wav?x=1,2&sig=abc", "https://host/a.wav"),
        ("https://host/a.wav?x=(1)&token=abc", "https://host/a.wav"),
    ],
)
def test_secrets_are_found_and_not_shown(url, shown):
    assert has_secret(url)
    assert str(RemotePath(url)) == shown
    assert repr(RemotePath(url)) == f"RemotePath({shown!r})"
    assert without_secrets(f"({url!r}, {url})") == f"({shown!r}, {shown})"


@pytest.mark.parametrize(
    "url",
    [
        "hf://datasets/a/b@main/c.wav",
        "https://host/data.zip?download=1",
        "s3://b/a@b:c.wav",
        "zip://low@1/a.wav::/d.zip",
        "abfs://c@d/a.wav",
    ],
)
def test_urls_without_secrets(url):
    assert not has_secret(url)
    assert is_remote(url)


@pytest.mark.parametrize("name", ["sounds/a.wav", "/data", "C:\\data", "a::b.wav", "12:30.wav", "s3:/a"])
def test_local_paths(name):
    assert not is_remote(name)
