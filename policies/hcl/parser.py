"""Terraform's text to syntax. Strict: what it does not understand is Unparsable with its place, never skipped."""

from __future__ import annotations

from policies.hcl.expressions import ExpressionParser
from policies.hcl.syntax import Argument, Block, Body, File, Template


def parse(text: str, path: str) -> File:
    """The file's blocks, arguments and comments. Raises policies.hcl.syntax.Unparsable."""
    parser = _Parser(text.removeprefix("\ufeff"), path)
    try:
        body = parser.body(closing=False)
    except RecursionError:
        parser.fail("it is nested too deeply")
    return File(path=path, body=body, comments=tuple(parser.comments))


class _Parser(ExpressionParser):
    """Adds blocks and arguments to expressions."""

    def body(self, *, closing: bool) -> Body:
        """Up to the closing brace, or to the end of the file."""
        arguments: dict[str, Argument] = {}
        blocks: list[Block] = []
        while True:
            self.lines()
            if closing and self.takes("}"):
                return Body(arguments=arguments, blocks=tuple(blocks))
            if self.ended():
                if closing:
                    self.fail("a block is never closed: expected '}'")
                return Body(arguments=arguments, blocks=tuple(blocks))
            self._item(arguments, blocks)

    def _item(self, arguments: dict[str, Argument], blocks: list[Block]) -> None:
        line = self.line
        name = self.demand_word()
        if self.sees("=") and not self.sees("=="):
            self.demand("=")
            if name in arguments:
                self.fail(f"the argument {name} is set twice")
            arguments[name] = Argument(self.expression(), line)
        else:
            blocks.append(self._block(name, line))
        self.space()
        if not self.ended() and not self.sees("\n") and not self.sees("}"):
            self.fail(f"expected a new line after {name}, found {self.text[self.at : self.at + 10]!r}")

    def _block(self, kind: str, line: int) -> Block:
        labels: list[str] = []
        while not self.takes("{"):
            labels.append(self._label())
        with self.newlines(matter=True):
            body = self.body(closing=True)
        return Block(kind=kind, labels=tuple(labels), body=body, line=line, end_line=self.line)

    def _label(self) -> str:
        if self.sees('"'):
            label = self.quoted()
            if isinstance(label, Template) and all(isinstance(part, str) for part in label.parts):
                return "".join(str(part) for part in label.parts)
            self.fail("a block's label is a plain text")
        return self.demand_word()
