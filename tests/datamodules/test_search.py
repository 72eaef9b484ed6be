from pathlib import Path

from untrained.datamodules.search import audio_files


def test_audio_files_are_found_by_their_extensions_in_any_case(tmp_path):
    (tmp_path / "a" / ".hidden").mkdir(parents=True)
    for name in ("b.WAV", "a/c.opus", "a/notes.txt", "a/.c.wav", "a/.hidden/d.wav"):
        (tmp_path / name).touch()
    assert audio_files(tmp_path) == ([Path("a/c.opus"), Path("b.WAV")], 1)


def test_links_are_followed_once_each(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.wav").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    assert audio_files(tmp_path) == ([Path("a/0.wav")], 0)
