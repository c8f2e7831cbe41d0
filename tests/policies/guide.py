"""docs/policy-packs.md as data: the files that it says to write, what to run, and what is said to come out."""

import re
from pathlib import Path

from policies.analyzer import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "policy-packs.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

FILES: dict[str, str] = {
    name: text
    for name, _, text in re.findall(r"^`([\w./-]+)`:\n\n```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
}
"""By path, as they are to be written."""

COMMANDS: tuple[str, ...] = tuple(
    line for language, block in FENCE.findall(GUIDE) if language == "sh" for line in block.splitlines() if line
)

SAID: tuple[str, ...] = tuple(block for language, block in FENCE.findall(GUIDE) if language == "text")
"""What diagnostics read like."""


def write(root: Path) -> None:
    """Write the files below a folder."""
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
