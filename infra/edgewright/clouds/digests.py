"""Digests of texts that only the cloud completes: an offline plan knows them no more than it knows the texts."""

import re
from hashlib import sha256

from edgewright.plan.tokens import stands_in, token

_OF = "digest text"

TOKEN = re.compile(r"\$\{digest text\.([0-9a-f]+)\}")
"""What stands in a plan for a digest of as many digits: those of the text with its tokens."""


def digest(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal digits; where a plan's tokens stand in it a token, another for another
    text."""
    found = sha256(text.encode()).hexdigest()
    return token(_OF, found) if stands_in(text) else found


def shortened(found: str, digits: int) -> str:
    """The first digits of a digest; of a token, one with so many."""
    held = TOKEN.fullmatch(found)
    return token(_OF, held[1][:digits]) if held else found[:digits]
