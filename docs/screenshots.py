"""Take screenshots of a study with headless Chromium: python docs/screenshots.py STUDY FOLDER.

The pictures are `report.png`, the top of the study's report.html, and `tensorboard-PAGE.png` for pages of TensorBoard.
"""

import argparse
import subprocess
import time
import urllib.request
from pathlib import Path

PAGES = ("hparams", "images", "text", "projector", "timeseries")
PORT = 16006


def main() -> None:
    """Take a picture of the report, start TensorBoard, take a picture of each page, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="folder of a study, such as runs/synthetic")
    parser.add_argument("folder", type=Path, help="folder for the pictures")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    report = (arguments.study / "report.html").resolve().as_uri()
    _picture(report, arguments.folder / "report.png", "--window-size=1280,1000")
    server = subprocess.Popen(
        ["tensorboard", "--logdir", str(arguments.study), "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    webgl = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]  # for the projector
    try:
        _wait_for_runs()
        for page in PAGES:
            path = arguments.folder / f"tensorboard-{page}.png"
            _picture(f"http://localhost:{PORT}/#{page}", path, "--window-size=1500,900", *webgl)
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


def _picture(url: str, path: Path, *more: str) -> None:
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=30000", *more]
    command = ["chromium", *options, f"--screenshot={path}", url]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    print(path)


if __name__ == "__main__":
    main()
