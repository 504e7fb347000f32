"""Walks over the text of a file: white space, comments, words, numbers, quoted texts and heredocs.

Newlines end an argument, but not within parentheses or brackets: a stack remembers which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from policies.hcl.syntax import Comment, Unparsable

_WORD = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t]*\r?\n")
_PLAIN_TEXT = re.compile(r'[^"\\$%\n]+')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Scanner:
    """A place in a text; every method moves it forward or raises Unparsable."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path, self.at = text, path, 0
        self.comments: list[Comment] = []
        self._newlines_count = [True]

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def fail(self, what: str) -> NoReturn:
        raise Unparsable(self.path, self.line, what)

    @contextmanager
    def newlines(self, *, matter: bool) -> Iterator[None]:
        """Within, a newline ends what is being read (`matter`) or is mere space."""
        self._newlines_count.append(matter)
        yield
        self._newlines_count.pop()

    def space(self) -> None:
        """Skip space and comments, and newlines where they do not matter."""
        blank = " \t\r" if self._newlines_count[-1] else " \t\r\n"
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n#/":
            if self.text[self.at] in blank:
                self.at += 1
            elif self.text[self.at] == "#" or self.text.startswith("//", self.at):
                self._comment(self.text.find("\n", self.at), 0)
            elif self.text.startswith("/*", self.at):
                self._comment(self.text.find("*/", self.at + 2), 2)
            else:
                return

    def _comment(self, end: int, closing: int) -> None:
        if end < 0 and closing:
            self.fail("a comment /* is never closed")
        end = len(self.text) if end < 0 else end
        self.comments.append(Comment(self.text[self.at : end].strip("#/* \t\r\n"), self.line))
        self.at = end + closing

    def lines(self) -> None:
        """Skip space, comments and newlines."""
        with self.newlines(matter=False):
            self.space()

    def ended(self) -> bool:
        return self.at >= len(self.text)

    def sees(self, mark: str) -> bool:
        """The text goes on with `mark` (after space)."""
        self.space()
        return self.text.startswith(mark, self.at)

    def takes(self, mark: str) -> bool:
        """As `sees`, and steps over it."""
        if not self.sees(mark):
            return False
        self.at += len(mark)
        return True

    def demand(self, mark: str) -> None:
        if not self.takes(mark):
            found = self.text[self.at : self.at + 1]
            self.fail(f"expected {mark!r}, found {found!r}" if found else f"expected {mark!r}, the file ends here")

    def word(self) -> str | None:
        self.space()
        return self._match(_WORD)

    def demand_word(self) -> str:
        word = self.word()
        if word is None:
            self.fail(f"expected a name, found {self.text[self.at : self.at + 10]!r}")
        return word

    def number(self) -> float | int | None:
        self.space()
        found = self._match(_NUMBER)
        if found is None:
            return None
        return int(found) if found.isdigit() else float(found)

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match.group()

    def heredoc(self) -> str | None:
        """The raw text of `<<NAME ... NAME`, with the common indent removed for `<<-`; None without one here."""
        self.space()
        start = _HEREDOC.match(self.text, self.at)
        if start is None:
            return None
        end = re.compile(rf"^[ \t]*{re.escape(start.group(2))}[ \t]*$", re.MULTILINE).search(self.text, start.end())
        if end is None:
            self.fail(f"the heredoc {start.group(2)} is never closed")
        raw = self.text[start.end() : end.start()]
        self.at = end.end()
        return _dedented(raw) if start.group(1) else raw

    def plain_text(self) -> str:
        """The letters up to the next one that means something within a text; they are most of any file."""
        return self._match(_PLAIN_TEXT) or ""

    def escape(self) -> str:
        """The character that the backslash here stands for."""
        mark = self.text[self.at + 1 : self.at + 2]
        if mark in ("u", "U"):
            digits = self.text[self.at + 2 : self.at + (6 if mark == "u" else 10)]
            if not re.fullmatch(r"[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}", digits):
                self.fail(f"\\{mark}{digits} is no character")
            self.at += 2 + len(digits)
            return chr(int(digits, 16))
        if mark not in _ESCAPES:
            self.fail(f"\\{mark} is no escape")
        self.at += 2
        return _ESCAPES[mark]


def _dedented(raw: str) -> str:
    lines = raw.split("\n")
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    indent = min(indents, default=0)
    return "\n".join(line[indent:] for line in lines)
