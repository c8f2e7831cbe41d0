"""What API Management takes of an OpenAPI document, checked before it is imported. No Pulumi.

Source: Microsoft's pages "API import restrictions and known issues" and "API Management limits", read 2026-11. Azure's
own check before a deployment does not read the document.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import yaml

MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a document that is imported inline."""
MAX_ID = 76
"""Characters of an operation's id that an import leaves as they are."""
MAX_RAW_ID = 80
MAX_URL = 128
"""An API's URL is shorter than this: the path, and the version where it is a segment of it."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_WITHOUT_BODY = ("get", "head", "options")
_IN_FULL = re.compile(r"3\.0\.[0-3]")
_SHOWN = 5
"""Places that one problem names."""


class DocumentError(ValueError):
    """A text that is no document: neither JSON nor YAML, or no object."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a document. parameters: of the path and its own, references followed."""

    method: str
    path: str
    content: Mapping[str, Any]
    parameters: Sequence[Mapping[str, Any]]

    @property
    def place(self) -> str:
        """Such as ``GET /orders/{id}``."""
        return f"{self.method.upper()} {self.path}"


def read_document(text: str) -> Mapping[str, Any]:
    """The document, JSON or YAML; raises DocumentError."""
    try:
        if _is_json(text):
            found = json.loads(text)
        else:
            # The loader in C: the other takes half a minute for 4 MB.
            found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    except (ValueError, yaml.YAMLError) as error:
        line = str(error).partition("\n")[0]
        raise DocumentError(f"the OpenAPI document is no {'JSON' if _is_json(text) else 'YAML'}: {line}") from error
    if not isinstance(found, dict):
        raise DocumentError("the OpenAPI document is no object")
    return cast("dict[str, Any]", found)


def _is_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def content_format(text: str) -> str:
    """Azure's name for the form of a document: ``openapi+json``, ``openapi`` (YAML) or ``swagger-json``."""
    if not _is_json(text):
        # A text that is no document, such as what stands in a plan for one, says nothing: most are JSON.
        return "openapi" if re.search(r"^(openapi|swagger|info|paths)\s*:", text, re.MULTILINE) else "openapi+json"
    head = re.search(r'"(swagger|openapi)"\s*:\s*"', text)
    return "swagger-json" if head is not None and head.group(1) == "swagger" else "openapi+json"


def link_format(url: str) -> str:
    """Azure's name for the form of a document at an address, by how the address ends."""
    return "openapi-link" if re.search(r"\.ya?ml$", url.partition("?")[0]) else "openapi+json-link"


def normal_id(name: str) -> str:
    """An operation's id as an import writes it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_ID].rstrip("-")


def operation_id(operation: Operation) -> str:
    """The id that an operation has once it is imported; of method and path where the document has none."""
    given = operation.content.get("operationId")
    return normal_id(given if isinstance(given, str) and given else f"{operation.method}-{operation.path}")


# -- problems ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What an import would make of a document.

    problems: why it would not be imported, or not as it is written; warnings: what is dropped or changed without an
    error, where there are no problems; operation_ids: as they are once imported.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    operation_ids: tuple[str, ...] = ()


@lru_cache(maxsize=4)
def check_document(text: str) -> Checked:
    """Check a document; each problem has its place and the remedy."""
    size = len(text.encode())
    if size > MAX_DOCUMENT:
        what = f"the OpenAPI document has {size:,} bytes; 4 MB are imported at most: give a link to it (`openapi_link`)"
        return Checked((what,))
    try:
        document = read_document(text)
    except DocumentError as error:
        return Checked((str(error),))
    wrong = tuple(_version_problems(document, text))
    if wrong:
        return Checked(wrong)
    found = operations(document)
    problems = (
        *_reference_problems(document),
        *_id_problems(found),
        *_template_problems(found),
        *(problem for item in found for problem in _operation_problems(item)),
    )
    warnings = () if problems else tuple(_warnings(document, found))
    return Checked(problems, warnings, tuple(operation_id(item) for item in found))


def _warnings(document: Mapping[str, Any], found: Sequence[Operation]) -> list[str]:
    servers = [item.place for item in found if "servers" in item.content]
    return [
        *_version_warnings(document),
        *_listed("bodies of {} are dropped: GET, HEAD and OPTIONS have none", _with_body(found)),
        *_listed("cookies are no parameters of API Management; dropped at {}", _with_cookies(found)),
        *_listed("servers of an operation are dropped, at {}", servers),
        *_listed("TRACE is not imported, at {}", _traced(document)),
        *_listed("schemas that contain themselves are not supported: {}", _recursive(document)),
        *_server_warnings(document),
    ]


def url_problems(path: str, version: str | None) -> list[str]:
    """Whether an API's URL is too long, or is not written as Azure wants it. version: where it is a segment."""
    found = [f"the path `{path}` begins or ends with a slash: leave it out"] if path.strip("/") != path else []
    whole = "/".join(part for part in (path, version) if part)
    if len(whole) >= MAX_URL:
        found.append(
            f"the API's URL has {len(whole)} characters with its version; it has less than {MAX_URL} characters"
        )
    return found


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """The operations of a document, those of ``x-ms-paths`` too."""
    return list(_operations(document))


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for section in ("paths", "x-ms-paths"):
        for path, item in _mapping(document.get(section)).items():
            shared = _parameters(document, _mapping(item).get("parameters"))
            for method in METHODS:
                content = _mapping(item).get(method)
                if isinstance(content, dict):
                    operation = cast("dict[str, Any]", content)
                    own = _parameters(document, operation.get("parameters"))
                    # What an operation says of a parameter replaces what its path says.
                    said = {(one.get("name"), one.get("in")): one for one in (*shared, *own)}
                    yield Operation(method, str(path), operation, list(said.values()))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _parameters(document: Mapping[str, Any], value: Any) -> list[Mapping[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [_followed(document, _mapping(item)) for item in items]


def _followed(document: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = item.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return item
    found: Any = document
    for part in reference[2:].split("/"):
        found = _mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
    return _mapping(found)


def _version_problems(document: Mapping[str, Any], text: str) -> Iterator[str]:
    swagger, version = document.get("swagger"), document.get("openapi")
    if swagger is not None:
        if str(swagger) != "2.0":
            yield f"Swagger `{swagger}` is not imported: 2.0 is, and OpenAPI 3.0"
        elif not _is_json(text):
            yield "Swagger 2.0 is imported as JSON only: convert the document, or write it in OpenAPI 3.0"
    elif version is None:
        yield "the document has neither `openapi` nor `swagger`: it does not say which version it is"
    elif not re.fullmatch(r"3\.[01](\.\d+)?", str(version)):
        yield f"OpenAPI `{version}` is not imported: write it in 3.0.3"
    if not isinstance(document.get("paths", {}), dict):
        yield "`paths` is no object"
    if not _mapping(document.get("info")).get("title"):
        yield "`info.title` is missing"


def _reference_problems(document: Mapping[str, Any]) -> Iterator[str]:
    outside = [f"`{target}` at {place}" for place, target in _references(document, "") if not target.startswith("#")]
    yield from _listed("references to other files are not followed: {}; put what they name into the document", outside)


def _references(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each reference with its place. Examples are no part of the document's own form."""
    if isinstance(value, list):
        for at, item in enumerate(cast("list[Any]", value)):
            yield from _references(item, f"{place}/{at}")
    elif isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            if key == "$ref" and isinstance(item, str):
                yield place or "/", item
            elif key not in ("example", "examples", "default", "enum"):
                yield from _references(item, f"{place}/{key}")


def _id_problems(found: Sequence[Operation]) -> Iterator[str]:
    taken: dict[str, list[str]] = {}
    for item in found:
        given = item.content.get("operationId")
        if isinstance(given, str) and len(given) > MAX_RAW_ID:
            yield f"{item.place}: the operationId has {len(given)} characters; it has {MAX_RAW_ID} at most"
        taken.setdefault(operation_id(item), []).append(item.place)
    for name, places in taken.items():
        if not name:
            yield f"{places[0]}: the operationId has no letter and no digit"
        elif len(places) > 1:
            yield (
                f"{' and '.join(places[:_SHOWN])} have the same operationId once it is imported, `{name}`: small "
                f"letters, digits and hyphens, {MAX_ID} characters; give each its own"
            )


def _template_problems(found: Sequence[Operation]) -> Iterator[str]:
    """Templates that differ in names of variables only are one for Azure, as they are for OpenAPI."""
    taken: dict[tuple[str, str], str] = {}
    for item in found:
        key = (item.method, re.sub(r"\{[^}]*\}", "{}", item.path).lower())
        if key in taken and taken[key] != item.path:
            yield f"{item.place} and {item.method.upper()} {taken[key]} are the same template: one operation for both"
        taken.setdefault(key, item.path)


def _operation_problems(item: Operation) -> Iterator[str]:
    if not item.path.startswith("/"):
        yield f"{item.place}: a path begins with a slash"
    if not item.content.get("responses"):
        yield f"{item.place} has no responses: write one, such as `default`"
    variables = [name.strip("*") for name in re.findall(r"\{([^}]*)\}", item.path)]
    if len({name.lower() for name in variables}) < len(variables):
        yield f"{item.place}: a variable is there twice; names differ by more than the case of letters"
    for parameter in item.parameters:
        name, where = str(parameter.get("name", "")), parameter.get("in")
        if where == "path" and name not in variables:
            yield f"{item.place}: the parameter `{name}` is said to be in the path, and is not"
        if where == "query" and parameter.get("required") and name.lower() in {one.lower() for one in variables}:
            yield f"{item.place}: `{name}` is a variable of the path and a required query parameter: rename one"


# -- warnings ----------------------------------------------------------------------------------------------------------


def _listed(text: str, places: Sequence[str]) -> list[str]:
    """One sentence about some places; none without a place."""
    if not places:
        return []
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return [text.format(", ".join(places[:_SHOWN]) + more)]


def _version_warnings(document: Mapping[str, Any]) -> list[str]:
    version = document.get("openapi")
    if version is None or _IN_FULL.fullmatch(str(version)):
        return []
    return [f"OpenAPI {version} is imported without what is new since 3.0.3"]


def _with_body(found: Sequence[Operation]) -> list[str]:
    return [
        item.place
        for item in found
        if item.method in _WITHOUT_BODY
        and ("requestBody" in item.content or any(one.get("in") == "body" for one in item.parameters))
    ]


def _with_cookies(found: Sequence[Operation]) -> list[str]:
    return [item.place for item in found if any(one.get("in") == "cookie" for one in item.parameters)]


def _traced(document: Mapping[str, Any]) -> list[str]:
    return [str(path) for path, item in _mapping(document.get("paths")).items() if "trace" in _mapping(item)]


def _server_warnings(document: Mapping[str, Any]) -> list[str]:
    servers = document.get("servers")
    urls = (
        [str(_mapping(item).get("url", "")) for item in cast("list[Any]", servers)] if isinstance(servers, list) else []
    )
    if urls and not any(url.startswith("https://") for url in urls):
        return ["no server of the document has an https address: none is taken, so the policy must say the backend"]
    return []


def _recursive(document: Mapping[str, Any]) -> list[str]:
    """Schemas that reach themselves, by what each one names."""
    prefixes = ("#/components/schemas/", "#/definitions/")
    schemas = {**_mapping(_mapping(document.get("components")).get("schemas")), **_mapping(document.get("definitions"))}
    names = {
        name: {target.rpartition("/")[2] for _, target in _references(schema, "") if target.startswith(prefixes)}
        for name, schema in schemas.items()
    }
    return sorted(name for name in names if _reaches(name, names))


def _reaches(name: str, names: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    ahead = list(names[name])
    while ahead:
        one = ahead.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            ahead.extend(names.get(one, ()))
    return False
