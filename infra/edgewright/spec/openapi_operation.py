"""Takes what requests are checked against out of an operation of an OpenAPI document: references written out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from edgewright.spec.openapi_reader import Node, Reader, mapping
from edgewright.spec.problems import Path

LARGEST = 5_000
"""Parts of all schemas of one operation, references written out; a document could otherwise grow without end."""

_WORDS = ("example", "examples", "externalDocs", "xml", "deprecated", "description", "title")
"""Fields of a schema that say nothing about a request."""


class Operations:
    """Reads operations of one document."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = 0

    def read(self, operation: Node, layers: Sequence[Node]) -> dict[str, object]:
        """The data of `edgewright.spec.model.Operation`. layers: of the path, whose parameters hold for it too."""
        self._left = LARGEST
        found: dict[str, object] = {"parameters": self._parameters(operation, layers)}
        body = self._reader.child(operation, "requestBody")
        body = self._reader.resolved(body) if body else None
        if body is not None:
            found["body_required"] = body.get("required") is True
            content = self._reader.child(body, "content")
            found["bodies"] = dict(self._bodies(content)) if content is not None else {}
        if self._left <= 0:
            what = f"its schemas have more than {LARGEST} parts when references are written out"
            self._reader.error(operation.path, what, "write `validate: false` for it", key=True)
        return found

    def _bodies(self, content: Node) -> Iterator[tuple[str, object]]:
        for media in content.value:
            at = self._reader.child(content, media)
            if at is not None:
                yield media, self._schema(at)

    def _parameters(self, operation: Node, layers: Sequence[Node]) -> list[dict[str, object]]:
        """An operation's own go before those of its path; cookies are no part of what gateways check."""
        found: dict[tuple[object, object], dict[str, object]] = {}
        for owner in (*reversed(layers), operation):
            listed = owner.get("parameters")
            for index, item in enumerate(cast("list[object]", listed) if isinstance(listed, list) else []):
                node = Node(mapping(item), (*owner.path, "parameters", index))
                at = self._reader.resolved(node)
                if at is None or at.get("in") == "cookie":
                    continue
                found[at.get("in"), at.get("name")] = {
                    "name": at.get("name"),
                    "in": at.get("in"),
                    "required": at.get("required") is True,
                    "schema": self._schema(at),
                }
        return list(found.values())

    def _schema(self, owner: Node) -> object:
        node = self._reader.child(owner, "schema")
        return self._written_out(node.value, node.path, ()) if node is not None else {}

    def _written_out(self, value: object, path: Path, within: tuple[Path, ...]) -> object:
        self._left -= 1
        if self._left <= 0:
            return {}
        if isinstance(value, list):
            items = cast("list[object]", value)
            return [self._written_out(item, (*path, index), within) for index, item in enumerate(items)]
        if not isinstance(value, Mapping):
            return value
        node = self._reader.resolved(Node(mapping(cast("object", value)), path))
        if node is None:
            return {}
        if node.path in within:
            what = "this schema contains itself: a gateway compares with schemas that can be written out"
            self._reader.error(path, what, "write `validate: false` for the operation")
            return {}
        names = within if node.path == path else (*within, node.path)
        return {
            key: self._written_out(item, (*node.path, key), names)
            for key, item in node.items()
            if _says_something(key, within_properties=bool(node.path) and node.path[-1] == "properties")
        }


def _says_something(key: str, *, within_properties: bool) -> bool:
    return within_properties or (key not in _WORDS and not key.startswith("x-"))
