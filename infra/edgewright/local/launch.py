"""What children of the edge are started with: commands of our own modules, and the environments that they get."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from edgewright.local.process import MARK, Launch

_OWN = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def python_path() -> str:
    """A PYTHONPATH with which this package is found, wherever it was imported from."""
    own = str(Path(__file__).resolve().parents[2])
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys((own, *(item for item in given if item))))


def module(name: str, *arguments: str) -> Launch:
    """Run ``edgewright.local.<name>``; the folder in which it runs is no place to import from (``-P``)."""
    return Launch((sys.executable, "-P", "-m", f"edgewright.local.{name}", *arguments))


def own_environment(run: str) -> dict[str, str]:
    """For Envoy and our own services: little of what the user has in the environment."""
    given = {name: os.environ[name] for name in _OWN if name in os.environ}
    return {**given, "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1", MARK: run}


def user_environment(run: str = "") -> dict[str, str]:
    """For commands of the user: the user's environment, this Python first, without what the Pulumi engine put there."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    path = os.pathsep.join((str(Path(sys.executable).parent), given.get("PATH", os.defpath)))
    mark = {MARK: run} if run else {}
    return {**given, "PATH": path, "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1", **mark}


def backend(command: tuple[str, ...], env: Mapping[str, str], port: int) -> Launch:
    """A backend's command, told its port in the variable PORT and wherever the command says ``${PORT}``."""
    words = tuple(word.replace("${PORT}", str(port)) for word in command)
    return Launch(words, {**env, "PORT": str(port)})
