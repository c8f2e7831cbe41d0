"""What clusters of all kinds share: bounds on what is under way, and ejection of a host whose connections break."""

from edgewright.local.envoy_json import Json

RETRIES = 1024
"""Retries at once. Envoy allows 3 by default, too few when a host dies under load."""


def thresholds(requests: int, connections: int | None = None) -> Json:
    """Bounds of a cluster: requests at once, waiting ones too, and connections (as many when left out)."""
    return {
        "thresholds": [
            {
                "max_connections": requests if connections is None else connections,
                "max_pending_requests": requests,
                "max_requests": requests,
                "max_retries": RETRIES,
            }
        ]
    }


def ejection(*, failures: int = 1, rest: str = "2s", percent: int = 50) -> Json:
    """Eject a host after so many broken connections in a row; nothing else ejects, an answer with 5xx neither.

    rest: how long it gets no requests; percent: the largest share of hosts that may rest at once.
    """
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": failures,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": rest,
        "max_ejection_percent": percent,
    }
