"""The gateway's own answers: problem documents (RFC 9457) with the statuses that the other targets give."""

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Base, Choose, Policy, ReturnResponse, SetVariable, Value, When

_TYPE = ("Content-Type", "application/problem+json")


def problem(status: int, title: str, challenge: str = "") -> ReturnResponse:
    """An answer of one status. challenge: of ``WWW-Authenticate``."""
    headers: list[tuple[str, Value]] = [_TYPE]
    headers += [("WWW-Authenticate", challenge)] if challenge else []
    return ReturnResponse(status, title, tuple(headers), cs.problem_body(status, title))


def errors(*, validated: bool = False) -> tuple[Policy, ...]:
    """The section ``on-error``: what went wrong, without the gateway's own words, which may quote a backend.

    validated: whether requests are checked against their operation.
    """
    status = SetVariable("status", cs.problem_status(validated=validated))
    code = cs.number("status")
    limited = ReturnResponse(
        code, "Too many requests", (_TYPE, ("Retry-After", cs.retry_after())), cs.problem_body(429, "Too many requests")
    )
    unauthorized = problem(401, "Unauthorized", 'Bearer error="invalid_token"')
    whens = [When(cs.status_is(429), (limited,)), When(cs.status_is(401), (unauthorized,))]
    whens += [When(cs.status_is(400), (problem(400, "Bad request"),))] if validated else []
    return (
        Base(),
        status,
        Choose(
            tuple(whens),
            (ReturnResponse(code, "Error", (_TYPE,), cs.problem_body(None, "")),),
        ),
    )
