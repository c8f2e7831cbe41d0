"""Tags, by which an owner is found: that there are any, and those that an organization asks for."""

from collections.abc import Iterator

from edgewright.policies.rule import Check
from edgewright.policies.view import View, Violation


def tagged(*keys: str) -> Check:
    """A check that a resource has tags, and those of the setting ``required``. keys: where tags stand, the first for
    whoever writes them."""
    first, *others = keys

    def has_tags(view: View) -> Iterator[Violation]:
        """It has tags, and those that are required."""
        names = {name for key in keys if (found := view.child(key)) for name in found.keys}
        missing = [name for name in view.setting("required") if name not in names]
        if missing:
            yield view.fails(first, f"lack {', '.join(f'`{name}`' for name in missing)}", *others)
        elif not names:
            yield view.fails(first, "are empty" if view.has(first) else "are not said", *others)

    return has_tags
