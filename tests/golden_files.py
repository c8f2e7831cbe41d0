"""Compares text with files that people review; `pytest --update-golden` writes what is new."""

from difflib import unified_diff
from itertools import islice
from pathlib import Path

_LONGEST_DIFF = 200


class Golden:
    """Whether golden files are written instead of compared; set by `--update-golden`."""

    update = False


def assert_golden(path: Path, text: str) -> None:
    """Fail unless the file at ``path`` holds exactly ``text``; with `--update-golden`, make it so."""
    if Golden.update:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return
    assert path.exists(), f"there is no {path.name}; write it with `pytest --update-golden`, and review it"
    golden = path.read_text(encoding="utf-8")
    if golden != text:
        lines = unified_diff(golden.splitlines(True), text.splitlines(True), f"{path.name} (golden)", "now", n=2)
        diff = "".join(islice(lines, _LONGEST_DIFF))
        raise AssertionError(f"{path.name} differs; if it is right, run `pytest --update-golden`\n{diff}")
