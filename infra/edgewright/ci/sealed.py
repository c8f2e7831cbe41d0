"""A saved update plan as it is kept between two runs: encrypted, and bound to the stack and the files it was made of.

An artifact can be read by whoever can read the repository, and a plan holds the inputs and outputs of resources in the
open (see `edgewright.ci.update_plan`). The key is the repository's secret PLAN_KEY; whoever has not the key can neither
read a plan nor make one.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken

from edgewright.ci.job import CiError

DAYS = 7
"""How long a plan may be used; artifacts are kept as long."""

MOST_BYTES = 50_000_000
"""Of a plan, opened."""

_SHORTEST_KEY = 32


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan, the stack that it is for, and the git tree of the files that it was made of."""

    stack: str
    tree: str
    content: bytes


def seal(plan: SavedPlan, key: str) -> bytes:
    """The plan, encrypted."""
    about = json.dumps({"stack": plan.stack, "tree": plan.tree}).encode()
    return _cipher(key).encrypt(zlib.compress(about + b"\n" + plan.content))


def unseal(data: bytes, key: str) -> SavedPlan:
    """The plan in sealed data; CiError where the key is another, the data is not whole, or it is too old."""
    try:
        packed = _cipher(key).decrypt(data, ttl=DAYS * 24 * 3600)
    except InvalidToken:
        raise CiError(f"the plan is older than {DAYS} days, or was not sealed with this PLAN_KEY") from None
    opener = zlib.decompressobj()
    opened = opener.decompress(packed, MOST_BYTES)
    if opener.unconsumed_tail:
        raise CiError(f"the plan is larger than {MOST_BYTES // 1_000_000} MB")
    about, _, content = opened.partition(b"\n")
    found = json.loads(about)
    return SavedPlan(str(found["stack"]), str(found["tree"]), content)


def _cipher(key: str) -> Fernet:
    if len(key) < _SHORTEST_KEY:
        raise CiError(
            f"PLAN_KEY must be a secret of {_SHORTEST_KEY} random characters or more: "
            "openssl rand -base64 32 | gh secret set PLAN_KEY"
        )
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
