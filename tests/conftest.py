"""What all tests share: the option that updates golden files, and how hypothesis looks for examples."""

import pytest
from hypothesis import settings

from golden_files import Golden

# A slow machine is no failure: nothing here is measured in time.
settings.register_profile("edgewright", deadline=None)
settings.load_profile("edgewright")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    Golden.update = bool(config.getoption("--update-golden"))
