"""What was typed, checked: files that have to be there, the terminal, and the error of wrong use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO


class UsageError(Exception):
    """Wrong use: what was typed cannot be meant."""


def must_be_file(path: Path) -> None:
    """Raise UsageError unless it is a file."""
    if not path.is_file():
        raise UsageError(f"{path} is not a file" if path.exists() else f"there is no file {path}")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; Python has None for one that is closed."""
    return stream is not None and stream.isatty()


def read_bindings(path: Path | None) -> Mapping[str, Any]:
    """The bindings in a file; YAML is wide enough for JSON too."""
    if path is None:
        return {}
    import yaml

    must_be_file(path)
    try:
        data: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict | None):
        raise UsageError(f"{path} must hold a mapping, such as `backends: {{orders: {{address: 127.0.0.1:9000}}}}`")
    return data or {}  # pyright: ignore[reportUnknownVariableType]
