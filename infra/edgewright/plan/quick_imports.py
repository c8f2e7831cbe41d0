"""Imports a cloud's SDK in a fraction of the time: without evaluating annotations, and only the resources that are
used.

A module such as ``pulumi_aws.ec2`` or ``pulumi_aws.wafv2`` has thousands of annotated arguments, in a file for each of
up to 200 resources: 0.7 s and more. Compiled as if each file began with ``from __future__ import annotations`` (PEP
563) annotations stay texts, which the SDK's own type lookups read as well; and a package finds a resource's file by
the resource's name when it is asked for it. Used by the offline plan only, and never by a program that the engine
runs.

The code so compiled is kept beside Python's own, under a name of its own, and made again when its source changes; where
it cannot be kept, modules are imported as always.
"""

import __future__

import importlib.machinery
import importlib.util
import marshal
import re
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_RESOURCE_FILE = re.compile(r"^from \.([a-z0-9_]+) import \*$", re.MULTILINE)
_WORDS = (re.compile(r"(?<=[a-z0-9])(?=[A-Z])"), re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"))
"""Where words of a name meet: `SecurityGroup`; and, where letters are a word of their own, `PublicIPAddress`."""

_DICT = re.compile(r"(?<=^class )(\w+ArgsDict)\(TypedDict\):$", re.MULTILINE)

_SHARED = ("_inputs", "_enums")
"""Files of a package that hold what several resources use."""

_TAG = "lazy"
"""Of the files that hold the code: ``x.cpython-311.opt-lazy.pyc``."""


@contextmanager
def quickly(*packages: str) -> Generator[None]:
    """Import these packages quickly while this lasts; what is imported already stays as it is."""
    finder = _Finder(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module of one of the packages, with our loader; None for all others."""
        if name.partition(".")[0] not in self._packages:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Run a module; a package of resources only when something is asked for that no file is named after."""
        if self.is_package(module.__name__) and module.__name__.count(".") == 1:
            files = frozenset(_RESOURCE_FILE.findall(self.get_data(self.path).decode()))
            module.__dict__["__getattr__"] = _by_name(self, module, files)
        else:
            super().exec_module(module)

    def run(self, module: ModuleType) -> None:
        """Run a package as always."""
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of a module, kept or compiled now."""
        source = self.get_filename(fullname)
        kept = Path(importlib.util.cache_from_source(source, optimization=_TAG))
        status = Path(source).stat()
        stamp = f"{sys.hexversion} {status.st_mtime_ns} {status.st_size}\n".encode()
        try:
            data = kept.read_bytes()
            if data.startswith(stamp):
                return marshal.loads(data[len(stamp) :])  # noqa: S302 (as Python's own .pyc files, and beside them)
        except (OSError, ValueError, EOFError, TypeError):
            pass  # not there, or cut off: it is made again
        text = _without_dicts(self.get_data(source).decode())
        code = compile(text, source, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
        if not _keep(kept, stamp + marshal.dumps(code)):
            return super().get_code(fullname)
        return code


def _without_dicts(text: str) -> str:
    """The source with its TypedDicts as plain classes: nothing looks at their fields, and making them is slow."""
    return _DICT.sub(r"\1:", text)


def _by_name(loader: "_Loader", module: ModuleType, files: frozenset[str]) -> Callable[[str], Any]:
    """What finds the names of a package: the class `SecurityGroup` is in the file `security_group`, the function
    `list_keys_output` in `list_keys`, inputs in `_inputs`, and enumerations in `_enums`."""

    def find(name: str) -> Any:
        if name.startswith("_") or name in files or name == "outputs":
            raise AttributeError(name)  # a file: the import system finds it
        spelled = {words.sub("_", name).lower() for words in _WORDS} | {name.removesuffix("_output")}
        for file in [*sorted(spelled & files), *(one for one in _SHARED if one in files)]:
            found = getattr(importlib.import_module(f"{module.__name__}.{file}"), name, None)
            if found is not None:
                setattr(module, name, found)
                return found
        del module.__dict__["__getattr__"]
        loader.run(module)
        return getattr(module, name)

    return find


def _keep(file: Path, data: bytes) -> bool:
    """Write at once or not at all: another process may be doing the same."""
    try:
        file.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as made:
            made.write(data)
        Path(made.name).replace(file)
    except OSError:
        return False
    return True
