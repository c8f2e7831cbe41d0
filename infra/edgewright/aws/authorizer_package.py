"""The files of the Lambda authorizer: its code, and what it is told; pure."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def archive_files(config: Mapping[str, Any]) -> dict[str, str]:
    """The files of the function by name. config: see authorizer/README.md."""
    code = (files("edgewright.aws") / "authorizer" / "index.mjs").read_text(encoding="utf-8")
    return {"index.mjs": code, "config.json": json.dumps(config, sort_keys=True, separators=(",", ":"))}
