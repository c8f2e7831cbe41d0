"""What a request is sent again for, as one value that can be compared: reasons, and ranges of statuses."""

from collections.abc import Iterable

_STATUSES = {"gateway-error": (502, 503, 504), "5xx": tuple(range(500, 600))}


def events(names: Iterable[str], statuses: Iterable[int]) -> tuple[str, ...]:
    """Reasons in the spec's words and statuses, resolved. A connection that fails or breaks is a 5xx to its client, so
    both 5xx words take it in, as Envoy has it (`x-envoy-retry-on`)."""
    found: set[str] = set()
    numbers = set(statuses)
    for name in names:
        if name in _STATUSES:
            numbers |= set(_STATUSES[name])
            found |= {"connect-failure", "reset"}
        else:
            found.add(name)
    return (*sorted(found), *_ranges(sorted(numbers)))


def _ranges(numbers: list[int]) -> list[str]:
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(low) if low == high else f"{low}-{high}" for low, high in found]
