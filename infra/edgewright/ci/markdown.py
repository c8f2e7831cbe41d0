"""Markdown from a job that ran a change's own code: it may say what it likes, and reach nobody and nothing.

GitHub cleans the HTML of a comment by itself. What is left to a text is to notify people, to appear on other issues, to
load pictures, to hide characters, and to be too long: https://docs.github.com/get-started/writing-on-github.
"""

import re

from edgewright.ci.job import visible

MOST = 65_000
"""Characters of a comment. GitHub takes 65,536, and refuses the rest."""

_APART = "\N{WORD JOINER}"


def _written(text: str, *names: str) -> str:
    """A pattern of a text in every way that reads as it: people and issues are looked for in what is shown.

    That is as it stands, behind a backslash, or as references to characters, which in HTML need no semicolon.
    """

    def one(shown: str) -> str:
        number = ord(shown)
        plain = shown if shown.isalnum() else rf"\\?{re.escape(shown)}"
        numbers = (rf"&#0*{number}(?:;|(?![0-9;]))", rf"&#x0*{number:x}(?:;|(?![0-9a-f;]))")
        references = (*numbers, *(f"&{name};" for name in names))
        return f"(?:{'|'.join((plain, *references))})"

    return "".join(map(one, text))


_SLASH = _written("/", "sol")
_PLACES = "|".join(map(_written, ("issues", "pull", "discussions")))
_MENTION = re.compile(f"({_written('@', 'commat')})", re.IGNORECASE)
_NUMBER = r"(?=\\?[0-9&])"
_ISSUE = re.compile(rf"((?<!&){_written('#', 'num')}|\bGH-|{_SLASH}(?:{_PLACES}){_SLASH}){_NUMBER}", re.IGNORECASE)
_PICTURE = re.compile(r"!(?=\[)")
_TAG = re.compile(r"<(?=/?(?:a|audio|img|picture|source|svg|video)\b|!--)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def harmless(text: str) -> str:
    """The text as it reads, without mentions, references to issues, pictures, links in HTML and hidden characters."""
    shown = visible(text.replace("\r\n", "\n").replace("\t", "    "))
    for pattern in (_MENTION, _ISSUE):
        shown = pattern.sub(rf"\g<1>{_APART}", shown)
    return _TAG.sub("&lt;", _PICTURE.sub(f"!{_APART}", shown))


def cut(text: str, most: int, link: str) -> str:
    """The text in at most ``most`` characters: whole lines from its beginning, closed, and where the rest is."""
    if len(text) <= most:
        return text
    note = f"\n\n_The rest is left out here: [the run]({link}) has all of it._\n"
    kept = text[: max(0, most - len(note) - 200)].rpartition("\n")[0]
    return kept + _closed(kept) + note


def _closed(text: str) -> str:
    """What closes the block of code and the folds that a text leaves open."""
    fence = ""
    folds = 0
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if not fence:
            fence = found[1] if found else ""
            folds = max(0, folds + line.count("<details>") - line.count("</details>"))
        elif found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return f"\n{fence}" * bool(fence) + "\n\n</details>" * min(10, folds)


def block(text: str) -> str:
    """Plain text as a block of code that it cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible(text).rstrip()}\n{fence}\n"
