"""A fresh project with the cloud stacks for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cloud_project import CloudProject, cloud_project


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[CloudProject]:
    with cloud_project(tmp_path) as project:
        yield project
