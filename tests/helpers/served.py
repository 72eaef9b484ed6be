"""A web server of a folder, for tests: it counts what it sends, and fails in the ways that servers fail."""

import contextlib
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote, unquote, urlsplit


class Served:
    """A folder that is served at `url`, with faults.

    Args:
        folder: Folder that is served.

    Attributes:
        faults: Faults of the next requests for each path: a status of HTTP, `cut` (half of the body) or `hang`.
        requests: Method, path and number of sent bytes of each request.
        ranges: Whether ranges are supported.
        delay: Time before each answer, in s.
        password: Header `Authorization` that is required; None if there is none.
    """

    def __init__(self, folder):
        self.folder, self.faults = Path(folder), defaultdict(list)
        self.requests, self.ranges, self.delay, self.password, self.ended = [], True, 0.0, None, Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": self}))
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def sent(self, method="GET"):
        """Return the number of requests of a method and of sent bytes, and forget all requests."""
        found, self.requests = [n for name, _, n in self.requests if name == method], []
        return len(found), sum(found)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        served = self.served
        path = unquote(urlsplit(self.path).path)
        time.sleep(served.delay)
        fault = served.faults[path].pop(0) if served.faults[path] else None
        if fault == "hang":
            served.ended.wait(20)
            self.close_connection = True
            return
        file = served.folder / path.strip("/")
        if served.password and self.headers["Authorization"] != served.password:
            fault = 401
        if fault is None and not file.exists():
            fault = 404
        if isinstance(fault, int):
            self.send(fault, b"", {})
        elif file.is_dir():
            names = sorted(each.name + "/" * each.is_dir() for each in file.iterdir())
            links = ["?C=M;O=D", *map(quote, names)]
            page = "".join(f'<a href="{link}">{unquote(link)}</a>\n' for link in links)
            self.send(200, page.encode(), {"Content-Type": "text/html"})
        else:
            content, headers = file.read_bytes(), {"ETag": f'"{file.stat().st_mtime_ns}"'}
            wanted = self.headers["Range"] if served.ranges else None
            if wanted:
                first, last = (int(text) for text in wanted.removeprefix("bytes=").split("-"))
                headers["Content-Range"] = f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"
                content = content[first : last + 1]
            self.send(206 if wanted else 200, content, headers, cut=fault == "cut")

    def send(self, status, content, headers, cut=False):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(content)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        body = b"" if self.command == "HEAD" else content[: len(content) // 2] if cut else content
        self.served.requests.append((self.command, self.path, len(body)))
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)
        self.close_connection |= cut

    def log_message(self, *arguments):
        pass
