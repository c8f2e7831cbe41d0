"""Validates API Management policies against the XSDs of Microsoft's policy editor, which lie in ``data``."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

etree: Any = import_module("lxml.etree")  # it has no types

FOLDER = Path(__file__).parent / "data" / "apim-policy-xsd"


@cache
def schema() -> Any:
    """All schemas as one: it knows every policy as the root of a document too."""
    return etree.XMLSchema(etree.parse(FOLDER / "policies.xsd"))


@cache
def known() -> frozenset[str]:
    """The policies that have a schema."""
    return frozenset(path.stem for path in FOLDER.glob("*.xsd")) - {"policies", "common-types"}


def parse(xml: str) -> Any:
    """A document's root element, of lxml."""
    return etree.fromstring(xml.encode())


def names(root: Any) -> list[str]:
    """The names of all elements, in their order."""
    return [item.tag for item in root.iter(etree.Element)]


def problems(xml: str) -> list[str]:
    """What the schemas find wrong: the document, and each policy in it, since they do not look inside of `choose`."""
    document = parse(xml)
    found: list[str] = []
    for element in document.iter(etree.Element):
        if element is not document and str(element.tag) not in known():
            continue
        copy = etree.fromstring(etree.tostring(element, with_tail=False))
        if not schema().validate(copy):
            found += [f"{element.tag}: {error.message}" for error in schema().error_log]
    return found
