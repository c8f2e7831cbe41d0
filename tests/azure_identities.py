"""Identities as azure-native answers them, for plans of resources that have some.

azure-native takes a list of their ids and answers an object by id. The recorder of plans echoes the list, which the SDK
cannot read as the object of its output; this stands in until it answers as the provider does.
"""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.rpc import UNKNOWN

from edgewright.plan import recorder

_LIST = "userAssignedIdentities"


def answer_as_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the test ends, a list of identities that a resource is given is answered as an object."""
    kind: Any = vars(recorder)["_Recorder"]
    plain: Callable[..., None] = kind._answer

    def answer(self: Any, resource: Any, given: struct_pb2.Struct, secret: Any, found: struct_pb2.Struct) -> None:
        plain(self, resource, given, secret, found)
        identity = given.fields["identity"].struct_value if "identity" in given.fields else struct_pb2.Struct()
        if not (_LIST in identity.fields and identity.fields[_LIST].HasField("list_value")):
            return
        ids = [item.string_value for item in identity.fields[_LIST].list_value.values]
        found.fields["identity"].CopyFrom(given.fields["identity"])
        answered = found.fields["identity"].struct_value.fields[_LIST]
        answered.Clear()
        if UNKNOWN in ids:
            answered.string_value = UNKNOWN
            return
        answered.struct_value.SetInParent()
        for item in ids:
            answered.struct_value.fields[item].struct_value.SetInParent()

    monkeypatch.setattr(kind, "_answer", answer)
