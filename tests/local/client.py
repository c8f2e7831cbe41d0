"""What tests of a running edge need of a client: one request on one connection without retries, and patience."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """status, headers by their names in lower case, and the body as text."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


def get(port: int, path: str = "/", headers: Mapping[str, str] | None = None, *, trust: Path | None = None) -> Answer:
    """GET on 127.0.0.1; with ``trust``, the file of an authority, over TLS to the name localhost."""
    if trust:
        context = ssl.create_default_context(cafile=str(trust))
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            "localhost", port, timeout=30, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"host": "localhost", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
    finally:
        connection.close()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds; the test fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.01)
