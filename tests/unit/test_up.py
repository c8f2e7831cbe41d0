"""What `edgewright up` asks before it changes a stack of a cloud, and what it does with the answer."""

import builtins
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest

from edgewright.up import up


class Run:
    """An engine that counts its updates."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview
        self.updates = 0

    def preview(self) -> bool:
        return self._preview

    def up(self) -> bool:
        self.updates += 1
        return True


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A project with a stack of a cloud, which the engine that is asked for runs."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.shop.yaml").write_text(
        "config: {'edgewright:spec': shop.edge.yaml, 'edgewright:topology': aws/balancer-only}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Terminal())
    for beyond in ("obtain", "_check_cloud"):
        monkeypatch.setattr(f"edgewright.up.{beyond}", Mock())

    def with_engine(*, preview: bool = True) -> Run:
        run = Run(preview=preview)
        monkeypatch.setattr("edgewright.up._through", Mock(return_value=run))
        return run

    return with_engine


def answering(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> list[str]:
    """What is asked; None: whoever is asked ends the input."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr(builtins, "input", ask)
    return asked


@pytest.mark.parametrize(
    ("answer", "updates"), [("y", 1), (" YES ", 1), ("n", 0), ("", 0), (None, 0)], ids=("y", "YES", "n", "none", "end")
)
def test_a_stack_is_brought_up_when_its_preview_is_wanted(
    engine: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, answer: str | None, updates: int
) -> None:
    run, asked = engine(), answering(monkeypatch, answer)
    assert up("shop") == (0 if updates else 1)
    assert (run.updates, asked) == (updates, ["bring `shop` up like this? [y/N] "])


def test_a_preview_that_fails_ends_it_and_nobody_is_asked(
    engine: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = engine(preview=False), answering(monkeypatch, "y")
    assert up("shop") == 1
    assert (run.updates, asked) == (0, [])


@pytest.mark.parametrize("stdin", [StringIO("y"), None], ids=("a pipe", "closed"))
def test_where_nobody_can_be_asked_nothing_is_begun(
    engine: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stdin: StringIO | None,
) -> None:
    run = engine()
    monkeypatch.setattr(sys, "stdin", stdin)
    assert up("shop") == 2
    assert capsys.readouterr().err == "error: there is no terminal to ask on; say --yes\n"
    assert run.updates == 0
