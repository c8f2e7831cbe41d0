"""The command `edgewright`: its verbs, what they print, and their exit statuses.

0: done. 1: a file is wrong, rules stop the update, or the operation failed. 2: wrong use. 70: a defect of this program.
130: interrupted.
Each verb imports what it needs when it runs, so that `edgewright check` never waits for an engine or a server.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright import __version__
from edgewright.usage import UsageError, is_terminal, must_be_file, read_bindings

if TYPE_CHECKING:
    from edgewright.local.status import Status
    from edgewright.plan.model import Plan
    from edgewright.plan.planning import Options

STATE = ".edgewright"
DEBUG = "EDGEWRIGHT_DEBUG"
"""With this variable set, a defect shows its traceback."""

DEFECT = 70
"""Exit status of a defect: EX_SOFTWARE of sysexits.h."""

_STATUSES = (
    "exit status: 0 done, 1 a file is wrong, the operation failed, or rules stop the update; 2 wrong use; 70 a defect"
)

_STACK = "local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; never a traceback, unless it is asked for."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    # A locale without a character sees its code, as on standard error. Where output is closed, Python has None.
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")
    try:
        return int(given.run(given))
    except UsageError as error:
        return _fail(error, 2)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python must not try to write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _known(error)


def _known(error: Exception) -> int:
    """Errors that are written for the person who typed; the rest is a defect."""
    from edgewright.spec.problems import SpecError

    if isinstance(error, SpecError):
        print(error, file=sys.stderr)
        return 1
    # LocalError and its like are looked up by name: naming their classes here would import every target.
    if type(error).__module__.startswith("edgewright."):
        return _fail(error, 1)
    if os.environ.get(DEBUG):
        traceback.print_exc()
        return DEFECT
    if isinstance(error, OSError) and error.strerror:
        # A file that cannot be read or written, a disk that is full: of the machine, and no defect.
        return _fail(": ".join(str(part) for part in (error.filename, error.strerror) if part is not None), 1)
    with tempfile.NamedTemporaryFile("w", prefix="edgewright-", suffix=".log", delete=False) as log:
        traceback.print_exc(file=log)
    return _fail(f"unexpected {type(error).__name__}: {error} (a defect; where it happened: {log.name})", DEFECT)


def _fail(reason: object, status: int) -> int:
    from edgewright.spec.problems import printable

    lines = str(reason).expandtabs(4).split("\n")
    print("edgewright: " + "\n".join(map(printable, lines)), file=sys.stderr)
    return status


# ---- verbs


def _check(given: argparse.Namespace) -> int:
    for path in given.files:
        if str(path) != "-":
            must_be_file(path)
    from edgewright.edge.resolve import resolve
    from edgewright.spec.document import load
    from edgewright.spec.problems import SpecError

    errors = warnings = 0
    for path in given.files:
        try:
            document = load(path)
            edge = resolve(document)
        except SpecError as error:
            print(error, file=sys.stderr)
            errors += sum(problem.severity == "error" for problem in error.problems)
            warnings += sum(problem.severity == "warning" for problem in error.problems)
            continue
        for finding in (*document.warnings, *edge.findings):
            print(finding, file=sys.stderr)
        warnings += len(document.warnings) + len(edge.findings)
        print(f"{path}: ok ({_many(len(edge.routes), 'route')})")
    if errors or warnings:
        print(f"{_many(errors, 'error')}, {_many(warnings, 'warning')}", file=sys.stderr)
    return 1 if errors else 0


def _schema(given: argparse.Namespace) -> int:
    if given.reference:
        from edgewright.spec.reference import text

        print(text(), end="")
        return 0
    if given.aws:
        from edgewright.aws.capabilities import markdown as aws_markdown

        print(aws_markdown(), end="")
        return 0
    if given.azure:
        from edgewright.azure.capabilities import markdown as azure_markdown

        print(azure_markdown(), end="")
        return 0
    if given.local:
        from edgewright.local.capabilities import markdown

        print(markdown(), end="")
        return 0
    if given.policies:
        from edgewright.policies.catalogue import render

        print(render(), end="")
        return 0
    if given.policy_config:
        from edgewright.policies.schema import text as configuration

        print(configuration(), end="")
        return 0
    from edgewright.spec.schema import text as schema_text

    print(schema_text(), end="")
    return 0


def _plan(given: argparse.Namespace) -> int:
    with _nothing_collected():
        return _shown(given)


def _shown(given: argparse.Namespace) -> int:
    from edgewright.plan import timings
    from edgewright.plan.planning import NO_OPTIONS, is_kept, planned

    options = _options(given)
    if is_kept(given.file) and options != NO_OPTIONS:
        what = "--topology, --bindings and what is said of rules"
        raise UsageError(f"{given.file} is a plan that was kept: {what} are for a spec or a stack's file")
    plan = planned(given.file, options)
    with timings.spent_on("showing it"):
        _show(plan, given)
    if given.timings:
        print(timings.text(), end="", file=sys.stderr)
    return 1 if plan.policies is not None and plan.policies.stop else 0


def _options(given: argparse.Namespace) -> "Options":
    from edgewright.plan.planning import Options

    return Options(given.topology or "", given.bindings, not given.no_policies, given.policy_config)


def _show(plan: "Plan", given: argparse.Namespace) -> None:
    if given.svg:
        from edgewright.plan.diagram import svg

        given.svg.write_text(svg(plan), encoding="utf-8")
    if given.json:
        from edgewright.plan.show_json import text as json_text

        print(json_text(plan), end="")
    elif given.markdown:
        from edgewright.plan.show_markdown import markdown

        print(markdown(plan), end="")
    elif not given.svg:
        from edgewright.plan.show_text import text

        color = is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")
        print(text(plan, width=_width(), color=color), end="")


def _diff(given: argparse.Namespace) -> int:
    from edgewright.plan.diff import diff

    with _nothing_collected():
        found = diff(given.before, given.after, _options(given))
        if given.markdown:
            from edgewright.plan.comment import comment

            text = comment(found, given.link or "")
        else:
            from edgewright.plan.show_changes import text_of_stacks

            text = text_of_stacks(found)
        if given.output:
            given.output.write_text(text, encoding="utf-8")
        else:
            print(text, end="")
        if all(stack.same for stack in found.stacks) and _is_behind(given.after):
            told = f"what is not committed is not in `{given.after}`; `edgewright diff {given.before} .` compares it"
            print(f"note: {told}", file=sys.stderr)
        return 1 if found.stops else 0


def _is_behind(after: str) -> bool:
    """Whether HEAD of a comparison is a commit, and what was changed since is not in it."""
    if Path(after).exists():
        return False
    from edgewright.plan.revision import is_behind_the_work_tree

    return is_behind_the_work_tree(after, Path.cwd())


@contextmanager
def _nothing_collected() -> Generator[None]:
    """Without the garbage collector: what a plan makes it keeps until it is printed, and then the process ends.

    Frozen at the end, or the interpreter would look through all of it once more before it goes: a fifth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()


def _width() -> int:
    import shutil

    return min(160, max(60, shutil.get_terminal_size((110, 24)).columns))


def _compile(given: argparse.Namespace) -> int:
    must_be_file(given.file)
    from edgewright.local.prepare import prepare

    prepared = prepare(given.file, read_bindings(given.bindings))
    for finding in prepared.findings:
        print(finding, file=sys.stderr)
    data = prepared.artifact.to_json()
    if given.yaml:
        import yaml

        print(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120), end="")
    else:
        print(json.dumps(data, indent=2))
    return 0


def _serve(given: argparse.Namespace) -> int:
    must_be_file(given.file)
    from edgewright.local.prepare import prepare
    from edgewright.local.serve import serve
    from edgewright.local.state import StateFolder

    spec = given.file.absolute()
    bindings = given.bindings.absolute() if given.bindings else None
    state = StateFolder(given.state or Path.cwd() / STATE / f"serve-{spec.name.split('.')[0]}")
    files = [spec, *([bindings] if bindings else [])]
    serve(files, lambda: prepare(spec, read_bindings(bindings)), state, {}, _say)
    return 0


def _up(given: argparse.Namespace) -> int:
    from edgewright.up import up

    return up(
        given.stack,
        engine=not given.without_engine,
        yes=given.yes,
        policies=given.policy_pack,
        policy_config=given.policy_config,
    )


def _down(given: argparse.Namespace) -> int:
    from edgewright.up import down

    return down(given.stack)


def _preview(given: argparse.Namespace) -> int:
    from edgewright.up import preview

    return preview(given.stack, policies=given.policy_pack, policy_config=given.policy_config)


def _status(given: argparse.Namespace) -> int:
    from edgewright.local import runtime

    folder = _state(given)
    status = runtime.status(folder)
    if given.json:
        print(json.dumps(status.to_json() if status else {"alive": False, "state_dir": str(folder)}, indent=2))
    elif status:
        print(_described(status), end="")
    else:
        print(f"no edge runs in {folder}; start it with `edgewright up`", file=sys.stderr)
    return 0 if status and status.alive else 1


def _token(given: argparse.Namespace) -> int:
    lifetime = _seconds(given.lifetime)
    from edgewright.local.tokens import mint

    token = mint(
        _state(given),
        authorizer=given.authorizer,
        subject=given.subject,
        scopes=tuple(scope for item in given.scope for scope in item.split()),
        audiences=tuple(given.audience),
        lifetime=lifetime,
    )
    print(token)
    return 0


def _key(given: argparse.Namespace) -> int:
    from edgewright.local import runtime

    print(runtime.credential(_state(given), given.authorizer, given.client))
    return 0


def _logs(given: argparse.Namespace) -> int:
    from edgewright.local.logs import show

    return show(_state(given) / "log", given.name, lines=given.lines, follow=given.follow)


# ---- what they share


def _state(given: argparse.Namespace) -> Path:
    """The state folder that is meant: --state, else that of the stack in this project."""
    if given.state:
        return Path(given.state).absolute()
    if given.stack in ("", ".", "..") or "/" in given.stack:
        raise UsageError(f"`{given.stack}` is no name of a stack")
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STATE / given.stack).is_dir():
            return folder / STATE / given.stack
    return here / STATE / given.stack


def _seconds(text: str) -> int:
    from edgewright.spec.values import Duration

    try:
        seconds = Duration.parse(text).milliseconds // 1000
    except ValueError:
        raise UsageError(f"--lifetime: `{text}` is not a duration; write it like 30s, 5m, 1h30m") from None
    if seconds < 1:
        raise UsageError("--lifetime: a token lives for 1s at least")
    return seconds


def _described(status: "Status") -> str:
    rows: list[tuple[str, str]] = []
    rows += [("listener", f"{name}  {url}") for name, url in status.listeners.items()]
    rows += [
        ("backend", f"{name}  {health.healthy} of {health.total} healthy") for name, health in status.backends.items()
    ]
    rows += [("process", f"{name}  {f'pid {pid}' if pid else 'down'}") for name, pid in status.processes.items()]
    rows += [("routes", str(len(status.routes)))]
    rows += [("authority", str(status.ca_certificate))] if status.ca_certificate else []
    rows += [("state", str(status.state_dir))]
    rows += [("warning", warning) for warning in status.warnings]
    head = f"{status.name or 'the edge'} is {'up' if status.alive else 'not well'} (pid {status.pid})"
    return "\n".join([f"{head} {status.url}".rstrip(), *(f"  {name:<10}{text}" for name, text in rows)]) + "\n"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- the parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgewright",
        description="Say a load balancer and API gateway once; run it on AWS, Azure and this machine.",
    )
    parser.add_argument("--version", action="version", version=f"edgewright {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=_STATUSES)
        found.set_defaults(run=run)
        return found

    check = verb("check", _check, "say everything that is wrong with specs")
    check.add_argument("files", metavar="FILE", type=Path, nargs="+")

    schema = verb("schema", _schema, "print the JSON Schema of a spec, for editors")
    schema.add_argument("--reference", action="store_true", help="print the reference in Markdown instead")
    schema.add_argument("--aws", action="store_true", help="print what AWS does with each field instead")
    schema.add_argument("--azure", action="store_true", help="print what Azure does with each field instead")
    schema.add_argument("--local", action="store_true", help="print what the local target does with each field instead")
    schema.add_argument("--policies", action="store_true", help="print the catalogue of rules in Markdown instead")
    schema.add_argument(
        "--policy-config",
        action="store_true",
        help="print the JSON Schema of policies.json, which configures rules, instead",
    )

    _plan_options(verb("plan", _plan, "say what a spec would be on a cloud, offline"))
    _diff_options(verb("diff", _diff, "say what a change to a spec does, route by route and resource by resource"))

    compile_ = verb("compile", _compile, "print the local edge that a spec becomes, Envoy configuration and all")
    compile_.add_argument("file", metavar="FILE", type=Path)
    compile_.add_argument("--bindings", metavar="FILE", type=Path, help="YAML: ports, addresses, commands of backends")
    compile_.add_argument("--yaml", action="store_true", help="YAML, not JSON")

    serve = verb("serve", _serve, "run a spec in the foreground, and reload it when it is saved")
    serve.add_argument("file", metavar="FILE", type=Path)
    serve.add_argument("--bindings", metavar="FILE", type=Path, help="YAML: ports, addresses, commands of backends")
    serve.add_argument("--state", metavar="DIR", help="where keys, logs and sockets are kept")

    up = verb("up", _up, "bring a stack up, or to what its spec says now")
    up.add_argument("stack", metavar="STACK", nargs="?", default=_STACK)
    up.add_argument("--without-engine", action="store_true", help="without Pulumi, its state and its diff")
    up.add_argument("-y", "--yes", action="store_true", help="do not ask")

    _held_against_policies(up)

    preview = verb("preview", _preview, "say what `up` would change")
    preview.add_argument("stack", metavar="STACK", nargs="?", default=_STACK)
    _held_against_policies(preview)

    down = verb("down", _down, "stop a stack, and leave nothing running")
    down.add_argument("stack", metavar="STACK", nargs="?", default=_STACK)

    status = _of_a_running_edge(verb("status", _status, "say how the running edge is"))
    status.add_argument("--json", action="store_true", help="for programs")

    token = _of_a_running_edge(verb("token", _token, "make a token of the development OpenID provider"))
    token.add_argument("authorizer", metavar="AUTHORIZER", nargs="?", help="which; needed when there are several")
    token.add_argument("--subject", default="developer", help="who it is for (default: developer)")
    token.add_argument("--scope", action="append", default=[], help="may be given more than once")
    token.add_argument("--audience", action="append", default=[], help="instead of those of the spec")
    token.add_argument("--lifetime", metavar="DURATION", default="1h", help="default: 1h")

    key = _of_a_running_edge(verb("key", _key, "print the API key of a client"))
    key.add_argument("authorizer", metavar="AUTHORIZER")
    key.add_argument("client", metavar="CLIENT")

    logs = _of_a_running_edge(verb("logs", _logs, "print the last lines of the logs"))
    logs.add_argument("name", metavar="NAME", nargs="?", help="of a process, or `access`; all of them without it")
    logs.add_argument("-n", "--lines", metavar="COUNT", type=int, default=20, help="of each (default: 20)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as lines are written")
    return parser


def _plan_options(parser: argparse.ArgumentParser) -> None:
    what = "a spec, a stack's file, or a plan kept with --json"
    parser.add_argument("file", metavar="SPEC", type=Path, help=what)
    _cloud_options(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs; see docs/plan.json.md")
    form.add_argument("--markdown", action="store_true", help="for a pull request")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="write the way of a request as a picture")
    parser.add_argument("--timings", action="store_true", help="say on standard error where the CPU time went")


def _diff_options(parser: argparse.ArgumentParser) -> None:
    what = "a spec, a stack's file, a plan kept with --json, a folder with stacks, or a git revision"
    parser.add_argument("before", metavar="BASE", help=what)
    parser.add_argument("after", metavar="HEAD", help="the same")
    _cloud_options(parser)
    parser.add_argument("--markdown", action="store_true", help="the comment of a pull request")
    parser.add_argument("--link", metavar="URL", help="where all of it is, for a comment that had to be cut")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write there, not to standard output")


def _cloud_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topology", metavar="CLOUD/NAME", help="such as aws/balancer-first; a stack's file says it")
    parser.add_argument("--bindings", metavar="FILE", type=Path, help="YAML: network, names, targets of the stack")
    rules = parser.add_mutually_exclusive_group()
    rules.add_argument(
        "--policy-config", metavar="FILE", type=Path, help="how rules are enforced, not policies.json beside the stack"
    )
    rules.add_argument("--no-policies", action="store_true", help="do not run the rules")


def _held_against_policies(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy-pack", metavar="DIR", type=Path, help="a policy pack that must let it pass")
    parser.add_argument(
        "--policy-config", metavar="FILE", type=Path, help="of the pack, not policies.json beside the stack"
    )


def _of_a_running_edge(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stack", default=_STACK, help=f"default: {_STACK}")
    where.add_argument("--state", metavar="DIR", help="its state folder, instead of a stack")
    return parser


if __name__ == "__main__":
    sys.exit(main())
