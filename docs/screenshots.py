"""Take screenshots of a study in TensorBoard with headless Chromium: python docs/screenshots.py STUDY FOLDER."""

import argparse
import subprocess
import time
import urllib.request
from pathlib import Path

PAGES = ("hparams", "images", "text", "projector", "timeseries")
PORT = 16006


def main() -> None:
    """Start TensorBoard, take a screenshot of each page, and stop TensorBoard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", help="folder of a study, such as runs/synthetic")
    parser.add_argument("folder", type=Path, help="folder for the screenshots")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        ["tensorboard", "--logdir", arguments.study, "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_runs()
        for page in PAGES:
            _picture(page, arguments.folder / f"tensorboard-{page}.png")
    finally:
        server.terminate()


def _wait_for_runs() -> None:
    for _ in range(60):
        time.sleep(1)
        try:
            with urllib.request.urlopen(f"http://localhost:{PORT}/data/runs") as answer:
                if len(answer.read()) > len("[]"):
                    return
        except OSError:
            continue
    raise SystemExit("TensorBoard shows no runs after a minute")


def _picture(page: str, path: Path) -> None:
    options = [
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--window-size=1500,900",
        "--virtual-time-budget=30000",
    ]
    webgl = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]  # for the projector
    url = f"http://localhost:{PORT}/#{page}"
    command = ["chromium", *options, *webgl, f"--screenshot={path}", url]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    print(path)


if __name__ == "__main__":
    main()
