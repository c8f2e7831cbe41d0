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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, tests of a module share a worker, and so its running edge; those under load are one group."""
    for item in items:
        if (
            item.get_closest_marker("xdist_group") is None
            and item.path.parts[-2] in ("local", "engine")
            and "unit" not in item.path.parts
        ):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
