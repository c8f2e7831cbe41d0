"""Fixtures for tests with real processes: a state folder, and the proof that nothing outlives its test."""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from edgewright.local import runtime
from edgewright.local.process import marked
from edgewright.local.state import StateFolder


@pytest.fixture
def edge_state() -> Generator[Path]:
    """A state folder to be; whatever runs there after the test is stopped, and must then be gone for good."""
    root = Path(tempfile.mkdtemp(prefix="edge-"))
    folder = root / "state"
    try:
        yield folder
    finally:
        run = StateFolder(folder).last_run()
        runtime.stop(folder, drain_seconds=0)
        left = [process.pid for process in marked(run)]
        sockets = [path.name for path in folder.rglob("*") if path.is_socket()]
        shutil.rmtree(root, ignore_errors=True)
    assert not left, f"processes outlive the edge: {left}"
    assert not sockets, f"sockets outlive the edge: {sockets}"
