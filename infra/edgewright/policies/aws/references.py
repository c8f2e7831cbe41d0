"""What stands behind a property that is not known yet: the resources of the stack that its value comes from."""

from edgewright.policies.types import type_of
from edgewright.policies.view import View


def types_behind(view: View, key: str) -> frozenset[str]:
    """The types of the resources that a top-level property's value comes from."""
    return frozenset(map(type_of, view.subject.refs.get(key, ())))
