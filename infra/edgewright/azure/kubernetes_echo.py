"""A service that answers with what it was asked, for hands-on examples; runs in a pod by itself, on Python alone."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HIDDEN = ("authorization", "cookie", "key", "password", "secret", "token")
"""Words in names of headers whose values are not repeated: a gateway adds credentials that clients must not see."""

LIMIT = 64 * 1024
"""Bytes of a body that are read; more is refused."""


class Echo(BaseHTTPRequestHandler):
    """Answers every method and path."""

    protocol_version = "HTTP/1.1"
    server_version = "echo"
    sys_version = ""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LIMIT or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(413, {"error": f"bodies of known length up to {LIMIT} bytes are taken"})
            return
        body = self.rfile.read(int(length))
        asked = urlsplit(self.path)
        found = {
            "service": os.environ.get("SERVICE", ""),
            "pod": os.environ.get("HOSTNAME", ""),
            "method": self.command,
            "path": asked.path,
            "query": parse_qs(asked.query, keep_blank_values=True),
            "headers": {name: _shown(name, value) for name, value in sorted(self.headers.items())},
            "body_bytes": len(body),
        }
        self._send(200, found)

    def _send(self, status: int, found: object) -> None:
        body = json.dumps(found, indent=2).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds: nothing is logged."""

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815


def _shown(name: str, value: str) -> str:
    return "(hidden)" if any(word in name.lower() for word in HIDDEN) else value


def _stop(_number: int, _frame: object) -> None:
    sys.exit(0)


def main() -> None:
    """Serve until stopped. The first process of a container does not end by a signal that it does not handle."""
    signal.signal(signal.SIGTERM, _stop)
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Echo).serve_forever()


if __name__ == "__main__":
    main()
