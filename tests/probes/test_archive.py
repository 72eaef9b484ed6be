import io
import pickle
import time
import zipfile

import numpy as np
import pytest
import torch
from untrained.probes import archive

VALUES = {"a": torch.arange(6.0).reshape(2, 3), "b": [1, -(2**70), 0.5, None, True, "text"], "c": torch.tensor([True])}


def written(path, pickled=None, compress=(), **more):
    """Write a zip file like `torch.save`, but with another pickle, compressed entries or additional entries."""
    torch.save(VALUES, path)
    with zipfile.ZipFile(path) as saved:
        entries = {entry: saved.read(entry) for entry in saved.namelist()}
    root = next(iter(entries)).partition("/")[0]
    entries |= {f"{root}/{name}": content for name, content in more.items()}
    if pickled is not None:
        entries[f"{root}/data.pkl"] = pickled
    with zipfile.ZipFile(path, "w") as file:
        for entry, content in entries.items():
            packed = zipfile.ZIP_DEFLATED if entry.partition("/")[2] in compress else zipfile.ZIP_STORED
            file.writestr(entry, content, packed)
    return path


def test_load_returns_the_values_that_torch_saved(tmp_path):
    odd = {"e": torch.zeros(0, 5), "f": torch.ones(4)[1:3]}
    torch.save({**VALUES, **odd}, tmp_path / "x.ckpt")
    found = archive.load(tmp_path / "x.ckpt")
    theirs = torch.load(tmp_path / "x.ckpt", weights_only=True)
    assert found.keys() == theirs.keys()
    assert found["b"] == theirs["b"]
    for name in ("a", "c", "e", "f"):
        assert found[name].dtype == theirs[name].dtype
        assert torch.equal(found[name].float(), theirs[name].float())


def storage(n_values, size, key=b"0"):
    """Return the pickle of a tensor that claims a number of stored values and a shape."""
    shape = b"".join(b"J" + n.to_bytes(4, "little") for n in size)
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00"
        + key
        + b"X\x03\x00\x00\x00cpuJ"
        + n_values.to_bytes(4, "little")
        + b"tQK\x00("
        + shape
        + b"t(K\x01t\x89ccollections\nOrderedDict\n)RtR."
    )


MANY = b"\x80\x02X\xe8\x03\x00\x00" + b"x" * 1000 + b"q\x00](" + b"h\x00" * 9000 + b"e."
CRAFTED = {
    "compressed": ({"compress": ["data/9"], "data/9": bytes(10**7)}, "its entry 'x/data/9' is compressed"),
    "compressed pickle": ({"compress": ["data.pkl"]}, "its entry 'x/data.pkl' is compressed"),
    "more values than data": ({"pickled": storage(2**31 - 1, [2**31 - 1])}, "not resizable"),
    "larger shape": ({"pickled": storage(6, [2**31 - 1])}, "not resizable"),
    "memo": ({"pickled": b"\x80\x02]r\xff\xff\xff\x7f."}, "stores a value under the index 2,147,483,647"),
    "many times": (
        {"pickled": MANY},
        "far more",
    ),
    "an array of bytes": ({"pickled": pickle.dumps(bytearray(9), 5)}, "holds the operation"),
    "a type": ({"pickled": b"\x80\x02ctorch\nFloatTensor\nJ\xff\xff\xff\x7f\x85R."}, "names torch.FloatTensor, which"),
    "bytes": ({"pickled": b"\x80\x02ctorch.storage\nUntypedStorage\nJ\xff\xff\xff\x7f\x85R."}, "UntypedStorage, which"),
    "a storage that is called": ({"pickled": b"\x80\x02ctorch\nFloatStorage\nJ\xff\xff\xff\x7f\x85R."}, "not callable"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_files_that_would_exhaust_memory_are_rejected_quickly(name, tmp_path):
    more, message = CRAFTED[name]
    path = written(tmp_path / "x.ckpt", **more)
    start = time.process_time()
    with pytest.raises((archive.ArchiveError, RuntimeError, TypeError), match=message):
        archive.load(path)
    assert time.process_time() - start < 2


def test_entries_that_share_their_bytes_are_rejected(tmp_path):
    path = written(tmp_path / "x.ckpt", **{"data/9": bytes(10**5)})
    with zipfile.ZipFile(path, "a") as file:
        entry = file.getinfo("x/data/9")
        for number in range(20):
            again = zipfile.ZipInfo(f"x/data/1{number}")
            for of in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(again, of, getattr(entry, of))
            file.filelist.append(again)
        file._didModify = True
    with pytest.raises(archive.ArchiveError, match="entries are larger than the file"):
        archive.load(path)


def packed(*, compress=zipfile.ZIP_STORED, **entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compress) as file:
        for name, value in entries.items():
            file.writestr(name.replace("_", "."), value)
    return content.getvalue()


def claiming(shape):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return content.getvalue()


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (packed(compress=zipfile.ZIP_DEFLATED, schema_json=b"[" + b" " * 10**6 + b"]"), "'schema.json' is compressed"),
        (packed(schema_json=bytes(archive.MAX_SCHEMA + 1)), "its description has 16,777,217 bytes"),
        (packed(schema_json=b"{}", a_npy=claiming((10**12,))), r"'a.npy' of shape \(1000000000000,\) is larger"),
    ],
    ids=["compressed", "long", "array"],
)
def test_a_backend_that_would_exhaust_memory_is_rejected(stored, message):
    with pytest.raises(archive.ArchiveError, match=message):
        archive.refuse_absurd_backend(stored)
