"""A small server on loopback that keeps what is posted to it: where webhooks of test servers go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

Calls = Queue[tuple[dict[str, str], bytes]]
"""Headers and body of each call, in the order of arrival."""


@contextmanager
def listening() -> Iterator[tuple[str, Calls]]:
    """The address to post to, and what was posted."""
    calls: Calls = Queue()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
