"""edgewright: say an edge once, typed; run it on AWS, Azure and on this machine."""

__version__ = "0.1.0"
