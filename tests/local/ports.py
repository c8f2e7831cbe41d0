"""Free TCP ports for tests, distinct within a test run and across its parallel workers."""

import os
import random
import socket

_given: set[int] = set()


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on and that this process has not handed out before.

    Each worker of pytest-xdist has a range of its own, below the range of outgoing connections, so that two workers
    never pick the same one.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    span = range(10000 + worker * 600, 10000 + (worker + 1) * 600)
    for port in random.sample(span, len(span)):
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"no free port in {span}")
