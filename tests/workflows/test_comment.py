"""The verb that comments, against a GitHub that is strict about what it is sent; test_steps.py runs its workflow."""

import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from workflows.github_api import BOT, LONGEST, REPOSITORY, REPOSITORY_ID, TOKEN, GitHub, serving
from workflows.runner import workflow
from workflows.verbs import Done, call

SHA = "a" * 40
FORK, FORK_ID = "eve/edge", 666
MARKER = "<!-- edgewright -->"
TEXT = f"{MARKER}\n## What changes\n\n`GET /products` loses its JWT check.\n"


@pytest.fixture
def github() -> Iterator[GitHub]:
    known = GitHub(permissions=workflow("comment.yml")["jobs"]["comment"]["permissions"])
    known.pull(7, SHA)
    with serving(known):
        yield known
    assert known.wrong == []


def event(*, fork: bool = False, run: int = 5, **more: Any) -> dict[str, Any]:
    head = {"full_name": FORK, "id": FORK_ID} if fork else {"full_name": REPOSITORY, "id": REPOSITORY_ID}
    return {
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "workflow_run": {
            "id": run,
            "event": "pull_request",
            "conclusion": "success",
            "head_sha": SHA,
            "head_branch": "change",
            "head_repository": head,
            **more,
        },
    }


def comment(github: GitHub, folder: Path, said: Mapping[str, Any] | None = None) -> Done:
    path = folder / "event.json"
    path.write_text(json.dumps(said or event()))
    return call(folder, github.address, "comment", GITHUB_EVENT_PATH=str(path))


def archive(data: bytes, file: str = "comment.md") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(file, data)
    return made.getvalue()


def left(github: GitHub, text: str, run: int = 5, **engines: str) -> None:
    """What the run of the previews has left."""
    github.artifacts[run] = {"comment": archive(text.encode())}
    for stack, words in engines.items():
        github.artifacts[run][f"engine-{stack.replace('_', '-')}"] = archive(words.encode(), "engine.txt")


def bodies(github: GitHub) -> list[str]:
    return [one["body"] for one in github.comments.get(7, [])]


# -- one comment, edited in place


def test_a_comment_is_made_with_the_text_that_the_previews_left(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    run = comment(github, tmp_path)
    assert run.ok, run.log
    assert bodies(github) == [
        f"{MARKER}\n<sub>`{SHA[:12]}` · [the run](https://github.com/{REPOSITORY}/actions/runs/5)</sub>\n\n"
        "## What changes\n\n`GET /products` loses its JWT check.\n"
    ]


def test_the_next_push_edits_it_in_place(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    comment(github, tmp_path)
    left(github, f"{MARKER}\nAnother change.\n", run=8)
    assert comment(github, tmp_path, event(run=8)).ok
    assert len(bodies(github)) == 1
    assert "Another change." in bodies(github)[0]
    assert github.writes == ["comment on 7", "edit 7000"]


def test_the_same_text_again_writes_nothing(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    comment(github, tmp_path)
    comment(github, tmp_path)
    assert github.writes == ["comment on 7"]


def test_the_comment_is_found_behind_hundreds_of_others(github: GitHub, tmp_path: Path) -> None:
    for number in range(250):
        github.comment(7, f"{number}", {"login": "ann", "type": "User"})
    github.comment(7, f"{MARKER}\nold")
    left(github, TEXT)
    comment(github, tmp_path)
    assert github.writes == ["edit 7250"]


@pytest.mark.parametrize(
    ("body", "user"),
    [
        (f"{MARKER}\nforged", {"login": "eve", "type": "User"}),
        (f"{MARKER}\nforged", {"login": "github-actions", "type": "User"}),
        (f"{MARKER}\nanother app's", {"login": "dependabot[bot]", "type": "Bot"}),
        (f"words before\n{MARKER}\n", BOT),
        (f"{MARKER} and more\n", BOT),
        ("", BOT),
    ],
)
def test_a_comment_that_is_not_ours_is_left_alone(
    body: str, user: Mapping[str, str], github: GitHub, tmp_path: Path
) -> None:
    other = github.comment(7, body, user)
    left(github, TEXT)
    comment(github, tmp_path)
    assert other["body"] == body
    assert len(bodies(github)) == 2


def test_the_permissions_of_the_job_are_those_that_it_needs(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    comment(github, tmp_path)
    left(github, f"{MARKER}\nother")
    comment(github, tmp_path)
    needed = {scope: "write" if (scope, "write") in github.used else "read" for scope, _ in github.used}
    assert github.permissions == {**needed, "contents": "read"}  # the last for the checkout


# -- whose pull request


def test_a_pull_request_of_a_fork_gets_its_comment_with_a_word_of_caution(github: GitHub, tmp_path: Path) -> None:
    github.pull(8, SHA, head=FORK, head_id=FORK_ID)
    left(github, TEXT)
    comment(github, tmp_path, event(fork=True))
    assert bodies(github) == []
    [found] = github.comments[8]
    caution = f"> [!CAUTION]\n> From a fork: this was made by the code of `{FORK}`"
    assert found["body"].index(caution) < found["body"].index("What changes")


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("another commit", {"head_sha": "b" * 40}),
        ("another branch", {"head_branch": "other"}),
        ("another repository of the same owner", {"head_repository": {"full_name": "shop/copy", "id": 43}}),
        ("a repository of that name that is not the one", {"head_repository": {"full_name": REPOSITORY, "id": 1}}),
        ("a repository that is gone", {"head_repository": None}),
        ("no pull request", {"event": "push"}),
        ("a run that waits for an approval", {"conclusion": "action_required"}),
        ("a run that was skipped", {"conclusion": "skipped"}),
    ],
)
def test_a_run_of_something_else_posts_nothing(
    what: str, change: Mapping[str, Any], github: GitHub, tmp_path: Path
) -> None:
    left(github, TEXT)
    run = comment(github, tmp_path, event(**change))
    assert run.ok, (what, run.log)
    assert github.writes == []


def test_a_pull_request_that_is_closed_gets_no_comment(github: GitHub, tmp_path: Path) -> None:
    github.pulls[0]["state"] = "closed"
    left(github, TEXT)
    comment(github, tmp_path)
    assert github.writes == []


def test_the_number_that_an_artifact_says_is_not_looked_at(github: GitHub, tmp_path: Path) -> None:
    github.pull(9, "c" * 40)
    left(github, f"{MARKER}\npull request: 9, #9\n")
    github.artifacts[5]["pr"] = archive(b"9", "number")
    comment(github, tmp_path)
    assert github.writes == ["comment on 7"]


def test_an_event_that_names_no_commit_is_refused(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    run = comment(github, tmp_path, event(head_sha="main; echo ::error::"))
    assert not run.ok
    assert "names no commit" in run.log
    assert github.writes == []


# -- nothing to say


def test_without_changed_stacks_nothing_is_posted(github: GitHub, tmp_path: Path) -> None:
    github.artifacts[5] = {}
    assert comment(github, tmp_path).ok
    assert github.writes == []


@pytest.mark.parametrize(
    ("conclusion", "words"),
    [
        ("success", "No stack is changed any more."),
        ("failure", "There is no plan of this commit"),
        ("cancelled", "There is no plan of this commit"),
    ],
)
def test_a_comment_that_no_longer_holds_says_so(conclusion: str, words: str, github: GitHub, tmp_path: Path) -> None:
    github.comment(7, f"{MARKER}\nold")
    github.artifacts[5] = {}
    comment(github, tmp_path, event(conclusion=conclusion))
    assert words in bodies(github)[0]
    assert "old" not in bodies(github)[0]


# -- what the engine says


def test_the_engines_preview_follows_as_plain_text(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT, aws_web="1 to replace, 2 unchanged\n+- aws:lb/targetGroup:TargetGroup  orders\n")
    comment(github, tmp_path)
    assert bodies(github)[0].endswith(
        "`GET /products` loses its JWT check.\n\n"
        "<details><summary>The engine's preview of <code>aws-web</code>: 1 to replace, 2 unchanged</summary>\n\n"
        "```text\n1 to replace, 2 unchanged\n+- aws:lb/targetGroup:TargetGroup  orders\n```\n\n</details>\n"
    )


def test_a_preview_of_the_engine_that_failed_is_told_with_its_log(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT, aws_web="no changes")
    github.job(5, "Plan")
    github.job(5, "Preview (aws-web)", "failure")
    github.job(5, "Preview (a) ](b)", "failure")
    comment(github, tmp_path, event(conclusion="failure"))
    assert bodies(github)[0].endswith(
        "**The engine's preview of `aws-web` failed**: [its log](https://x/2) says why.\n"
    )


def test_a_preview_that_failed_is_told_until_it_is_started_again(github: GitHub, tmp_path: Path) -> None:
    """Of two that failed one is started again: the second attempt knows nothing of the other."""
    left(github, TEXT, aws_web="1 to create, 0 unchanged")
    github.job(5, "Preview (aws-shop)", "failure")
    github.job(5, "Preview (aws-web)", "failure")
    github.job(5, "Preview (aws-web)", attempt=2)
    comment(github, tmp_path, event(conclusion="failure"))
    [body] = bodies(github)
    assert "**The engine's preview of `aws-shop` failed**: [its log](https://x/1) says why." in body
    assert "preview of <code>aws-web</code>: 1 to create, 0 unchanged" in body


@pytest.mark.parametrize(
    ("conclusion", "words"), [("cancelled", "was cancelled, or took too long"), ("timed_out", "took too long")]
)
def test_a_preview_of_the_engine_that_takes_too_long_does_not_leave_an_old_comment(
    conclusion: str, words: str, github: GitHub, tmp_path: Path
) -> None:
    """GitHub calls a job cancelled that took longer than it may, and with it the run."""
    github.comment(7, f"{MARKER}\nold")
    left(github, TEXT)
    github.job(5, "Preview (aws-web)", conclusion)
    comment(github, tmp_path, event(conclusion=conclusion))
    [body] = bodies(github)
    assert "loses its JWT check" in body
    assert body.endswith(f"**The engine's preview of `aws-web` {words}**: [its log](https://x/1) says why.\n")


def test_what_failed_comes_before_what_the_engine_says_and_very_many_stacks_are_counted(
    github: GitHub, tmp_path: Path
) -> None:
    left(github, TEXT, 5, **{f"web{number:02}": "1 to create, 0 unchanged" for number in range(70)})
    github.job(5, "Preview (web03)", "failure")
    comment(github, tmp_path, event(conclusion="failure"))
    [body] = bodies(github)
    assert body.index("preview of `web03` failed") < body.index("preview of <code>web00</code>")
    assert body.count("<summary>The engine's preview of") == 64
    assert "_The engine's previews of 5 more stacks are in [the run](" in body


def test_text_of_the_engine_cannot_leave_its_block(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT, web="1 to create</summary>\n```\n</details>\n@ann ![x](y) ````\n")
    comment(github, tmp_path)
    body = bodies(github)[0]
    assert body.count("<summary>") == 1
    assert "1 to createsummary</summary>\n\n`````text\n" in body
    assert body.endswith("`````\n\n</details>\n")


def test_a_fork_has_no_engine_to_quote(github: GitHub, tmp_path: Path) -> None:
    github.pull(8, SHA, head=FORK, head_id=FORK_ID)
    left(github, TEXT, web="1 to create: approved by the security team\n")
    comment(github, tmp_path, event(fork=True))
    assert "approved" not in github.comments[8][0]["body"]


# -- artifacts as data


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("no archive", b"not a zip"),
        ("another file", archive(TEXT.encode(), "other.md")),
        ("a path out of the folder", archive(TEXT.encode(), "../comment.md")),
        ("an absolute path", archive(TEXT.encode(), "/etc/passwd")),
        ("no UTF-8", archive(b"\xff\xfe\x00")),
        ("too large when opened", archive(b"x" * 1_000_001)),
        ("cut", archive(TEXT.encode())[:-30]),
    ],
)
def test_an_artifact_that_is_not_the_one_file_is_refused(
    what: str, data: bytes, github: GitHub, tmp_path: Path
) -> None:
    github.artifacts[5] = {"comment": data}
    run = comment(github, tmp_path)
    assert not run.ok, what
    assert "error: the artifact comment" in run.log
    assert github.writes == []


def test_an_archive_of_two_files_is_refused(github: GitHub, tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("comment.md", TEXT)
        opened.writestr("number", "9")
    github.artifacts[5] = {"comment": made.getvalue()}
    assert "must hold one file" in comment(github, tmp_path).log
    assert github.writes == []


def test_an_artifact_that_is_said_to_be_large_is_not_even_fetched(github: GitHub, tmp_path: Path) -> None:
    left(github, TEXT)
    github.sizes["comment"] = 2_000_000_000
    assert "is larger than 1,000,000 bytes" in comment(github, tmp_path).log
    assert github.writes == []


def test_an_artifact_that_is_larger_than_it_is_said_to_be_is_refused(github: GitHub, tmp_path: Path) -> None:
    github.artifacts[5] = {"comment": b"x" * 1_500_000}
    github.sizes["comment"] = 100
    assert "it is larger than" in comment(github, tmp_path).log
    assert github.writes == []


def test_a_checksum_that_is_wrong_is_an_error_and_no_traceback(github: GitHub, tmp_path: Path) -> None:
    data = archive(TEXT.encode())
    right = zlib.crc32(TEXT.encode()).to_bytes(4, "little")
    github.artifacts[5] = {"comment": data.replace(right, b"\0\0\0\0")}
    log = comment(github, tmp_path).log
    assert "cannot be read" in log
    assert "Traceback" not in log


# -- what the text may not do


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("@ann", "@ann"),
        ("&#64;ann &#x40;ann &commat;ann", "64;ann"),
        ("@&#97;nn", "@&#97;"),
        ("fixes #12, &#35;12", "#12"),
        ("eve/other#12", "#12"),
        ("GH-12", "GH-12"),
        ("https://github.com/eve/other/issues/12", "/issues/12"),
        ("https://github.com/eve/other/pull/12", "/pull/12"),
        ("![x](https://evil.example/p.png)", "!["),
        ("<img src=x> <IMG src=x> <picture><source>", "<img"),
        ("<a href='https://evil.example'>Approve</a>", "<a "),
        ("<!-- hidden -->", "<!-- hidden"),
        ("\u202egnp.exe\u2066", "\u202e"),
        ("\x1b[31mred\x07", "\x1b"),
    ],
)
def test_a_text_reaches_nobody_and_nothing(text: str, never: str, github: GitHub, tmp_path: Path) -> None:
    left(github, f"{MARKER}\n{text}\n")
    comment(github, tmp_path)
    said = bodies(github)[0].partition("</sub>")[2].lower()
    assert never.lower() not in said
    assert said.strip()


@pytest.mark.parametrize(
    "text",
    [
        r"[x](https://github.com/eve/other\/issues\/12)",
        r"[x](https://github.com/eve/other/issues/\12)",
        "[x](https://github.com/eve/other/&#105;ssues/&#49;2)",
        "[x](https://github.com/eve/other/&#X69;ssues/12)",
        "[x](https://github.com/eve/other&#x2f;issues&sol;12)",
        "[x][y]\n\n[y]: https://github.com/eve/other/pu&#108;l/12",
        r"\@ann \#12 eve/other\#12",
        "&#0064;ann &#X00040;ann &#0035;12",
        "<p>&#64ann &#35&#49;2</p>",
    ],
)
def test_nobody_and_nothing_is_reached_in_another_spelling_either(text: str, github: GitHub, tmp_path: Path) -> None:
    left(github, f"{MARKER}\n{text}\n")
    comment(github, tmp_path)
    said = bodies(github)[0].partition("</sub>")[2]
    shown = unquote(html.unescape(MarkdownIt("gfm-like").render(said)))
    assert "ann" in shown or "12" in shown
    for never in ("@ann", "#12", "/issues/12", "/pull/12"):
        assert never not in shown


def test_a_marker_within_the_text_is_text(github: GitHub, tmp_path: Path) -> None:
    left(github, f"{MARKER}\n{MARKER}\n<!-- edgewright drift -->\n")
    comment(github, tmp_path)
    assert bodies(github)[0].count(MARKER) == 1
    comment(github, tmp_path)
    assert len(bodies(github)) == 1


def test_a_text_without_the_marker_keeps_its_first_line(github: GitHub, tmp_path: Path) -> None:
    left(github, "First line\nsecond\n")
    comment(github, tmp_path)
    assert "\n\nFirst line\nsecond\n" in bodies(github)[0]
    assert bodies(github)[0].startswith(f"{MARKER}\n")


# -- below the limit


@pytest.mark.parametrize("line", ["word " * 20, "😀" * 10, "`````", "<details><summary>x</summary>\n"])
def test_a_huge_text_is_cut_and_closed_with_a_link_to_all_of_it(line: str, github: GitHub, tmp_path: Path) -> None:
    left(
        github,
        f"{MARKER}\n" + f"{line}\n" * (600_000 // len(line.encode())),
        web="9 to create\n" + "+  a:b:C  name\n" * 200,
    )
    run = comment(github, tmp_path)
    assert run.ok, run.log
    body = bodies(github)[0]
    assert 40_000 < len(body) <= LONGEST
    assert f"[the run](https://github.com/{REPOSITORY}/actions/runs/5) has all of it._" in body
    assert "<summary>The engine's preview of <code>web</code>: 9 to create</summary>" in body


@pytest.mark.parametrize("inside", ["· </details>\n", "```text\n", "<details>\n", "~~~\n"])
def test_what_stands_in_a_block_of_code_opens_and_closes_nothing(inside: str, github: GitHub, tmp_path: Path) -> None:
    left(
        github,
        f"{MARKER}\n<details><summary>why</summary>\n\n````text\n{inside}" + "· a line of an error\n" * 5_000,
        web="1 to create\n",
    )
    assert comment(github, tmp_path).ok
    shown = MarkdownIt("gfm-like").render(bodies(github)[0])
    folds = re.findall(r"</?details>", shown)
    assert folds == ["<details>", "</details>", "<details>", "</details>"]
    assert "has all of it.</em>" in shown


def test_a_text_at_the_limit_is_whole(github: GitHub, tmp_path: Path) -> None:
    left(github, f"{MARKER}\n" + "x" * 60_000)
    comment(github, tmp_path)
    assert "x" * 60_000 in bodies(github)[0]
    assert "left out" not in bodies(github)[0]


# -- what GitHub answers


def test_a_token_that_may_not_comment_is_told_what_is_missing(github: GitHub, tmp_path: Path) -> None:
    github.permissions = {**github.permissions, "pull-requests": "read"}
    left(github, TEXT)
    run = comment(github, tmp_path)
    assert not run.ok
    assert "403 not accessible by integration; the job's `permissions` do not cover it" in run.log
    assert TOKEN not in run.log
