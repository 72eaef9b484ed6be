import io

from untrained.audio.pieces import replaced


def test_bytes_in_memory_precede_a_part_of_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    with replaced(b"head", path, 10, 20) as file:
        assert file.read() == b"head" + bytes(range(10, 20))
        assert file.seek(-3, io.SEEK_END) == 11
        assert file.read(10) == bytes([17, 18, 19])
        file.seek(2)
        assert file.read(4) == b"ad" + bytes([10, 11])


def test_a_file_may_claim_a_larger_size_than_it_has(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with replaced(b"", path, 2, 8, claims=10**12) as file:
        assert file.seek(0, io.SEEK_END) == 10**12
        file.seek(-128, io.SEEK_END)
        assert file.read(128) == bytes(128)  # zeros, where a decoder looks for a tag
        file.seek(0)
        assert file.read(100) == b"234567"
