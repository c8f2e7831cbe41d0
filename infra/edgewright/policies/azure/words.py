"""Words of Azure's own, as of a SKU, a protocol or a state: Azure takes them in any case."""

from edgewright.policies.view import Unknown, View


def says(view: View, key: str, *words: str) -> bool:
    """Whether a property has one of the words, in whatever case. What is absent or unknown has none."""
    return is_one(view.text(key), *words)


def is_one(found: str | Unknown | None, *words: str) -> bool:
    """Whether a text is one of the words, in whatever case."""
    return isinstance(found, str) and found.lower() in {word.lower() for word in words}
