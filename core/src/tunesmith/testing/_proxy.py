"""An HTTP proxy on loopback that can be down, slow, broken, or lose its answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["none", "error", "lost", "slow", "hang"]

_OWN = {"host", "connection", "transfer-encoding", "content-length"}


class Proxy:
    """Passes requests on to `upstream`, with a fault in some or all of them.

    `error` answers 500 without asking upstream; `lost` asks, and breaks the connection instead of
    answering; `slow` answers late; `hang` keeps the line open and says nothing.
    """

    def __init__(self, upstream: str) -> None:
        self._host = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self._random = Random(5)
        self.fault: Fault = "none"
        self.share = 1.0
        self.requests = 0
        self.faults = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen; on the same port as before."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def __getattr__(self, name: str) -> object:
                if name.startswith("do_"):
                    return lambda: proxy._handle(self)
                raise AttributeError(name)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextmanager
    def failing(self, fault: Fault, share: float = 1.0) -> Iterator[None]:
        """With this fault in a share of the requests, for a while."""
        self.fault, self.share, self.requests, self.faults = fault, share, 0, 0
        try:
            yield
        finally:
            self.fault = "none"

    def _next(self) -> Fault:
        with self._lock:
            self.requests += 1
            if self.fault == "none" or self._random.random() >= self.share:
                return "none"
            self.faults += 1
            return self.fault

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        fault = self._next()
        if fault == "error":
            _answer(request, 500, {}, b"the proxy was told to fail")
            return
        if fault == "hang":
            while self.fault == "hang":
                time.sleep(0.05)
            return
        if fault == "slow":
            time.sleep(0.2)
        connection = HTTPConnection(self._host, timeout=60)
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in _OWN}
            headers["content-length"] = str(len(body))
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if fault != "lost":
            _answer(request, answer.status, _headers(answer), content)


def _headers(answer: HTTPResponse) -> dict[str, str]:
    return {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}


def _answer(
    request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("content-length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content)
