"""`tme view`: one run directory for one browser on this machine, by the standard library alone.

Listens on 127.0.0.1 and answers only requests whose Host header names it (a page of another site that resolves to
127.0.0.1 gets nothing) and whose path begins with a secret, which is part of the address that is printed (other users of
the machine get nothing). No path of a request is a path of the disk: arms, replicates and hours are looked up in what
the run directory holds.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files as resources
from typing import Any
from urllib.parse import unquote, urlsplit

from tme.viz.viewer.source import Source, Unreadable

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FILES = {
    "/": ("view.html", "text/html; charset=utf-8"),
    "/viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
    "/start.js": ("start.js", "text/javascript; charset=utf-8"),
    "/view.css": ("view.css", "text/css; charset=utf-8"),
    "/favicon.ico": ("favicon.svg", "image/svg+xml"),
}
LIVE_FILES = {
    "/start.js": ("start_live.js", "text/javascript; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
}
MOST_BYTES = 4096  # of a request's body


class ViewServer(ThreadingHTTPServer):
    """Serves a `Source`; `control` takes what a page of `tme live` sends, `more` adds to the index.

    The index carries a token, which only a page of this server can read; commands come with it.
    """

    daemon_threads = True

    def __init__(self, source: Source, port: int = 0, control: Callable[[dict[str, Any]], dict[str, Any]] | None = None, more: Callable[[], dict[str, Any]] = dict) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.source, self.control, self.more = source, control, more
        self.token = secrets.token_urlsafe(24)
        self.place = f"/{secrets.token_urlsafe(16)}"  # under which everything is
        self.files = {**FILES, **(LIVE_FILES if control is not None else {})}
        self.lock = threading.Lock()  # a frame is made once, not by every request that waits for it

    def prepare(self) -> None:
        """Begin to make what a page will ask for first, while the browser opens it."""

        def make() -> None:
            with suppress(Exception):  # the page asks again and is told
                with self.lock:
                    moments = self.source.first()
                for moment in moments:
                    with self.lock:  # for one frame: requests come between
                        self.source.frame(*moment)

        threading.Thread(target=make, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}{self.place}/"

    @property
    def hosts(self) -> set[str]:
        """Host headers that are answered."""
        return {f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ViewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tme", ""

    def do_GET(self) -> None:
        """A file of the viewer, the index, a frame or a table of mothers."""
        if not self._at_home():
            return
        path = self._path()
        if path is None:
            self._send(HTTPStatus.NOT_FOUND, b"There is nothing at this address: it is the one that the command printed, whole.")
            return
        if path in self.server.files:
            name, kind = self.server.files[path]
            self._send(HTTPStatus.OK, resources("tme.viz.viewer").joinpath(name).read_bytes(), kind)
            return
        try:
            body, kind = self._data([unquote(part) for part in path.split("/")[1:]])
        except Unreadable as fault:
            self._send(HTTPStatus.NOT_FOUND, str(fault).encode())
        except Exception as fault:  # the page shows the sentence and stays usable
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, f"This could not be read ({type(fault).__name__}: {fault}).".encode())
        else:
            self._send(HTTPStatus.OK, body, kind)

    do_HEAD = do_GET

    def _data(self, parts: list[str]) -> tuple[bytes, str]:
        source = self.server.source
        with self.server.lock:
            if parts == ["index.json"]:
                token = {} if self.server.control is None else {"token": self.server.token}
                return json.dumps({**source.index(), **token, **self.server.more()}, allow_nan=False).encode(), "application/json"
            if parts[0] == "frames" and len(parts) >= 4:
                return source.frame("/".join(parts[1:-2]), _whole(parts[-2]), _number(parts[-1])), "application/octet-stream"
            if parts[0] == "descent" and len(parts) >= 3:
                return source.descent("/".join(parts[1:-1]), _whole(parts[-1])), "application/octet-stream"
        raise Unreadable("There is nothing at this address.")

    def do_POST(self) -> None:
        """A command of the page of `tme live`: JSON with the token of the index, so that no page of another site can send it."""
        if not self._at_home():
            return
        size = self.headers.get("Content-Length", "")
        if not self._from_own_page() or not size.isdigit() or int(size) > MOST_BYTES:
            self.close_connection = True
            self._send(HTTPStatus.FORBIDDEN, b"Not allowed.")
            return
        try:
            asked = json.loads(self.rfile.read(int(size)))
            assert self.server.control is not None
            status, answer = HTTPStatus.OK, self.server.control(asked if isinstance(asked, dict) else {})
        except (ValueError, RecursionError) as fault:
            status, answer = HTTPStatus.BAD_REQUEST, {"error": str(fault)}
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _from_own_page(self) -> bool:
        """Whether a command comes from a page that this server gave."""
        origin, token = self.headers.get("Origin"), self.headers.get("X-Tme-Token", "")
        if self.server.control is None or self._path() != "/control" or self.headers.get_content_type() != "application/json":
            return False
        if origin and origin.removeprefix("http://") not in self.server.hosts:
            return False
        return secrets.compare_digest(token.encode(), self.server.token.encode())

    def _path(self) -> str | None:
        """What is asked for, without the secret; None where that is missing or wrong."""
        path, place = urlsplit(self.path).path, self.server.place
        known = secrets.compare_digest(path[: len(place)].encode(), place.encode()) and path[len(place) : len(place) + 1] == "/"
        return path[len(place) :] if known else None

    def _at_home(self) -> bool:
        if self.headers.get("Host", "") in self.server.hosts:
            return True
        self.close_connection = True
        self._send(HTTPStatus.FORBIDDEN, b"This server answers its own address only.")
        return False

    def _send(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        try:
            self._answer(status, body, kind)
        except (ConnectionError, TimeoutError):  # the page was closed or asks for something else by now
            self.close_connection = True

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-cache"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""


def _whole(text: str) -> int:
    if not text.isdigit():
        raise Unreadable("There is nothing at this address.")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Unreadable("There is nothing at this address.") from None
