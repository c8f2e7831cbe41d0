"""What tests under Pulumi's mocks share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def event_loop_of_a_test() -> Iterator[None]:
    """A current event loop, which Pulumi's mocks look for: other tests of the process may have left none."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
