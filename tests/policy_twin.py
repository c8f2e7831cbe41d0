"""Carries a request through a policy document, as a gateway would: its code run by `csharp_twin`, its steps one by one.

What stands outside of the document is given: the operation that was matched, the tokens that are good, the key that was
sent, what the gateway is answered to requests of its own. Limits are named, not counted; caches are asked, never hit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import csharp
import csharp_twin
import policy_xsd
from csharp_twin import Stub


@dataclass(frozen=True)
class Asked:
    """A request. tokens: what a good token holds, by the issuer (or Entra's tenant) that it is of; key: the client and
    the product of a subscription key that is good."""

    method: str
    path: str
    operation: str
    query: str = ""
    host: str = "api.example"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    ip: str = "192.0.2.1"
    tokens: Mapping[str, Stub] = field(default_factory=dict[str, Stub])
    key: tuple[str, str] | None = None
    answers: Mapping[str, Stub] = field(default_factory=dict[str, Stub])
    """What the gateway is answered, by URL; nothing from others."""


@dataclass
class Outcome:
    """What became of it. status: the gateway's own answer, None for a backend's; path: what the backend sees, with the
    query; counted: (policy, key, calls, period) of each limit; kept_by: names and values that a cache tells apart."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: str = ""
    backend: str | None = None
    path: str = ""
    sent: dict[str, str] = field(default_factory=dict[str, str])
    counted: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    kept_by: tuple[tuple[str, str], ...] | None = None
    timeout: int | None = None


class _Answered(Exception):
    pass


def carry(
    document: str, asked: Asked, parent: str | None = None, fragments: Mapping[str, str] | None = None
) -> Outcome:
    """Inbound and backend of a document; parent: what its ``<base/>`` means."""
    made = _Pipeline(asked, fragments or {})
    root = policy_xsd.parse(document)
    wider = policy_xsd.parse(parent) if parent is not None else None
    try:
        for section in ("inbound", "backend"):
            made.section(root, wider, section)
    except _Answered:
        pass
    return made.outcome


class _Pipeline:
    def __init__(self, asked: Asked, fragments: Mapping[str, str]) -> None:
        self._asked = asked
        self._fragments = fragments
        self._variables: dict[str, Any] = {}
        query = f"?{asked.query}" if asked.query else ""
        self.outcome = Outcome(
            path=asked.path + query, sent={name.lower(): value for name, value in asked.headers.items()}
        )

    def section(self, root: Any, parent: Any, name: str) -> None:
        for item in root.find(name).iterchildren(policy_xsd.etree.Element):
            if item.tag == "base":
                if parent is not None:
                    self.section(parent, None, name)
            else:
                self._policy(item)

    def _value(self, text: str | None) -> Any:
        if not csharp.is_code(text):
            return text or ""
        asked = self._asked
        return csharp_twin.run(
            text or "",
            csharp_twin.context(
                request={
                    "method": asked.method, "path": asked.path, "query": asked.query, "host": asked.host,
                    "headers": self.outcome.sent, "ip": asked.ip,
                },
                variables=self._variables,
                operation=asked.operation,
                subscription=asked.key[0] if asked.key else None,
                product=asked.key[1] if asked.key else None,
            ),
        )  # fmt: skip

    def _policies(self, items: Sequence[Any]) -> None:
        for item in items:
            self._policy(item)

    def _policy(self, item: Any) -> None:
        getattr(self, f"_{item.tag.replace('-', '_')}")(item)

    def _children(self, item: Any) -> list[Any]:
        return [*item.iterchildren(policy_xsd.etree.Element)]

    def _include_fragment(self, item: Any) -> None:
        self._policies(self._children(policy_xsd.parse(self._fragments[item.get("fragment-id")])))

    def _set_variable(self, item: Any) -> None:
        self._variables[item.get("name")] = self._value(item.get("value"))

    def _choose(self, item: Any) -> None:
        for one in self._children(item):
            if one.tag == "otherwise" or self._value(one.get("condition")):
                self._policies(self._children(one))
                return

    def _cors(self, item: Any) -> None:
        pass  # a preflight is answered before all others

    def _ip_filter(self, item: Any) -> None:
        pass  # an address that is let in

    def _validate_jwt(self, item: Any) -> None:
        issuer = item.findtext("issuers/issuer")
        self._checked(item, self._asked.tokens.get(issuer))

    def _validate_azure_ad_token(self, item: Any) -> None:
        self._checked(item, self._asked.tokens.get(item.get("tenant-id")))

    def _checked(self, item: Any, token: Stub | None) -> None:
        if token is None:
            self.outcome.status = int(item.get("failed-validation-httpcode"))
            raise _Answered
        self._variables[item.get("output-token-variable-name")] = token

    def _cache_lookup_value(self, item: Any) -> None:
        self._value(item.get("key"))  # a miss leaves the variable unset

    def _cache_store_value(self, item: Any) -> None:
        self._value(item.get("key"))
        assert int(self._value(item.get("duration"))) > 0

    def _send_request(self, item: Any) -> None:
        self._value(item.findtext("set-body"))
        self._variables[item.get("response-variable-name")] = self._asked.answers.get(
            self._value(item.findtext("set-url"))
        )

    def _validate_parameters(self, item: Any) -> None:
        pass  # a request that is as it should be

    _validate_content = _validate_parameters

    def _rate_limit_by_key(self, item: Any) -> None:
        told = (item.get("calls"), item.get("renewal-period"))
        self.outcome.counted.append((item.tag, self._value(item.get("counter-key")), *told))

    _quota_by_key = _rate_limit_by_key

    def _cache_lookup(self, item: Any) -> None:
        names = [one.text.lower() for one in item.findall("vary-by-header")]
        query = (
            csharp_twin.context(request={"query": self._asked.query}).values["Request"].values["Url"].values["Query"]
        )
        words = [word for one in item.findall("vary-by-query-parameter") for word in one.text.split(";")]
        self.outcome.kept_by = (
            *((name, self.outcome.sent.get(name, "")) for name in names),
            *((word, ",".join(query.get(word) or ())) for word in words),
        )

    def _set_header(self, item: Any) -> None:
        name, action = item.get("name").lower(), item.get("exists-action")
        values = ",".join(self._value(one.text) for one in item.findall("value"))
        if action == "delete":
            self.outcome.sent.pop(name, None)
        elif action == "append" and name in self.outcome.sent:
            self.outcome.sent[name] += f",{values}"
        elif action != "skip" or name not in self.outcome.sent:
            self.outcome.sent[name] = values

    def _rewrite_uri(self, item: Any) -> None:
        query = f"?{self._asked.query}" if self._asked.query and item.get("copy-unmatched-params") == "true" else ""
        self.outcome.path = self._value(item.get("template")) + query

    def _set_backend_service(self, item: Any) -> None:
        self.outcome.backend = self._value(item.get("backend-id"))

    def _return_response(self, item: Any) -> None:
        self.outcome.status = int(self._value(item.find("set-status").get("code")))
        for one in item.findall("set-header"):
            self.outcome.headers[one.get("name").lower()] = ",".join(self._value(v.text) for v in one.findall("value"))
        self.outcome.body = self._value(item.findtext("set-body"))
        raise _Answered

    def _retry(self, item: Any) -> None:
        self._policies(self._children(item))

    def _forward_request(self, item: Any) -> None:
        self.outcome.timeout = int(item.get("timeout"))
