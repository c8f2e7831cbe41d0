"""What a cloud's data say of a type that cannot be changed in place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replacement:
    """A type whose replacement is known.

    inputs: paths of inputs that cannot be changed in place; time: how long a new one takes, empty where the cloud
    publishes no figure; outage: what breaks meanwhile or afterwards, empty for nothing that a caller would notice;
    sources: the pages that both are from.
    """

    inputs: frozenset[str]
    time: str = ""
    outage: str = ""
    sources: tuple[str, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether nobody would notice."""
        return not self.outage
