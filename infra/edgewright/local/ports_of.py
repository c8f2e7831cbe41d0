"""Where a spec's listeners open on this machine."""

from edgewright.edge.model import Listener
from edgewright.local.bindings import Bindings, ListenerBinding

OFFSET = 8000
"""Added to ports below 1024, which only root may open: 443 becomes 8443, 80 becomes 8080."""


def opened_port(listener: Listener, bindings: Bindings) -> int:
    """The port that a listener opens: the bound one, else the spec's, moved out of the reserved range."""
    return bindings.listeners.get(listener.name, ListenerBinding()).port or shifted(listener.port)


def redirect_port(listener: Listener, bindings: Bindings) -> int:
    """The port on which `redirect_http` listens."""
    return bindings.listeners.get(listener.name, ListenerBinding()).http_port or shifted(80)


def shifted(port: int) -> int:
    """``port`` where anybody may open it."""
    return port + OFFSET if port < 1024 else port
