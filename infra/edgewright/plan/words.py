"""Words for counts, which every view of a plan needs."""


def many(count: int, noun: str) -> str:
    """``1 route``, ``2 routes``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: list[str], most: int = 4) -> str:
    """The first few, and how many more there are: ``a, b and 3 more``."""
    over = len(names) - most
    return ", ".join(names[:most]) + (f" and {over:,} more" if over > 0 else "")
