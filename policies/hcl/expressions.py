"""Parses expressions by precedence: conditional, logical, comparison, sum, product, unary, postfix, term."""

from __future__ import annotations

from policies.hcl.scanner import Scanner
from policies.hcl.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Opaque,
    Splat,
    Template,
    Tuple,
    Unary,
)

# Weakest binding first (hclsyntax/spec.md, operators).
_LEVELS = (("||",), ("&&",), ("==", "!="), (">=", "<=", ">", "<"), ("+", "-"), ("*", "/", "%"))
_OPERATOR_STARTS = "|&=!><+-*/%"
_CONSTANTS = {"true": True, "false": False, "null": None}
_DEPTH_MAX = 40  # expressions within expressions; a person writes five


def parse_template(text: str, path: str) -> Template | Opaque:
    """The template that a whole file is. Raises policies.hcl.syntax.Unparsable."""
    return ExpressionParser(text, path).whole_template()


class ExpressionParser(Scanner):
    """A scanner that reads expressions."""

    _depth = 0

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            self.fail("expressions are nested too deeply")
        condition = self._binary(0)
        found: Expression = condition
        if self.takes("?"):
            with self.newlines(matter=False):
                yes = self.expression()
                self.demand(":")
                self.space()
            found = Conditional(condition, yes, self.expression())
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while (operator := self._operator(level)) is not None:
            with self.newlines(matter=False):
                self.space()
            left = Binary(operator, left, self._binary(level + 1))
        return left

    def _operator(self, level: int) -> str | None:
        self.space()
        if self.text[self.at : self.at + 1] not in _OPERATOR_STARTS:
            return None
        for operator in _LEVELS[level]:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        return None

    def _unary(self) -> Expression:
        for operator in ("!", "-"):
            if self.takes(operator):
                return Unary(operator, self._unary())
        return self._postfix(self._term())

    def _postfix(self, found: Expression) -> Expression:
        """Attributes, indices and splats that follow a term."""
        while True:
            if self.text.startswith("...", self.at):
                return found
            if self.text.startswith(".*", self.at):
                self.at += 2
                return self._postfix(Splat(found, self._postfix_of_item(attributes_only=True)))
            if self.text.startswith(".", self.at):
                self.at += 1
                key = self.number()
                found = Index(found, Literal(key)) if key is not None else Attribute(found, self.demand_word())
            elif self.text.startswith("[*]", self.at):
                self.at += 3
                return Splat(found, self._postfix_of_item(attributes_only=False))
            elif self.text.startswith("[", self.at):
                found = Index(found, self._bracketed())
            else:
                return found

    def _postfix_of_item(self, *, attributes_only: bool) -> Expression:
        item: Expression = Name("*")
        if not attributes_only:
            return self._postfix(item)
        while self.text.startswith(".", self.at) and not self.text.startswith(".*", self.at):
            self.at += 1
            item = Attribute(item, self.demand_word())
        return item

    def _bracketed(self) -> Expression:
        self.demand("[")
        with self.newlines(matter=False):
            key = self.expression()
            self.demand("]")
        return key

    def _term(self) -> Expression:
        self.space()
        if (number := self.number()) is not None:
            return Literal(number)
        if (raw := self.heredoc()) is not None:
            return self._heredoc(raw)
        if self.sees('"'):
            return self.quoted()
        if self.takes("("):
            with self.newlines(matter=False):
                inner = self.expression()
                self.demand(")")
            return inner
        if self.takes("["):
            return self._tuple()
        if self.takes("{"):
            return self._object()
        return self._named()

    def _named(self) -> Expression:
        name = self.demand_word()
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        while self.text.startswith("::", self.at):  # a provider's function: provider::aws::arn_parse(...)
            self.at += 2
            name += "::" + self.demand_word()
        return self._call(name) if self.text.startswith("(", self.at) else Name(name)

    def _call(self, name: str) -> Call:
        self.demand("(")
        arguments: list[Expression] = []
        expand = False
        with self.newlines(matter=False):
            while not self.takes(")"):
                arguments.append(self.expression())
                expand = self.takes("...")
                if not self.takes(","):
                    self.demand(")")
                    break
        return Call(name, tuple(arguments), expand)

    def _tuple(self) -> Expression:
        with self.newlines(matter=False):
            if self._starts_for():
                return self._for("]", keyed=False)
            items: list[Expression] = []
            while not self.takes("]"):
                items.append(self.expression())
                if not self.takes(","):
                    self.demand("]")
                    break
        return Tuple(tuple(items))

    def _object(self) -> Expression:
        with self.newlines(matter=False):
            if self._starts_for():
                return self._for("}", keyed=True)
        items: list[tuple[Expression, Expression]] = []
        with self.newlines(matter=True):
            self.lines()
            while not self.takes("}"):
                key = self.expression()
                if not self.takes("="):
                    self.demand(":")
                with self.newlines(matter=False):
                    self.space()
                items.append((key, self.expression()))
                separated = self.takes(",") or self.sees("\n")
                self.lines()
                if not separated and not self.sees("}"):
                    self.fail("expected a comma, a new line or '}' in an object")
        return Object(tuple(items))

    def _starts_for(self) -> bool:
        self.space()
        place = self.at
        if self.word() == "for" and not self.sees("=") and not self.sees(":"):
            return True
        self.at = place
        return False

    def _for(self, closing: str, *, keyed: bool) -> For:
        names = [self.demand_word()]
        while self.takes(","):
            names.append(self.demand_word())
        if self.demand_word() != "in":
            self.fail("expected 'in' in a for expression")
        over = self.expression()
        self.demand(":")
        key, value = None, self.expression()
        if keyed:
            self.demand("=>")
            key, value = value, self.expression()
        grouped = self.takes("...")
        condition = self.expression() if self._takes_if() else None
        self.demand(closing)
        return For(names=tuple(names), over=over, value=value, key=key, condition=condition, grouped=grouped)

    def _takes_if(self) -> bool:
        self.space()
        place = self.at
        if self.word() == "if":
            return True
        self.at = place
        return False

    def quoted(self) -> Template | Opaque:
        """A text in quotation marks."""
        start = self.at
        self.demand('"')
        parts = self._parts(closing='"')
        if parts is None:
            return Opaque(self.text[start : self.at])
        return Template(parts)

    def _heredoc(self, raw: str) -> Template | Opaque:
        return ExpressionParser(raw, self.path).whole_template()

    def whole_template(self) -> Template | Opaque:
        """All of the text as one template."""
        parts = self._parts(closing="")
        return Opaque(self.text) if parts is None else Template(parts)

    def _parts(self, *, closing: str) -> tuple[str | Expression, ...] | None:
        """Texts and expressions up to `closing`, to the end of the text without one; None where directives stand."""
        parts: list[str | Expression] = []
        letters: list[str] = []
        directives = False
        while not (closing and self.text.startswith(closing, self.at)):
            if self.ended():
                if not closing:
                    break
                self.fail("a text is never closed: expected '\"'")
            if self.text.startswith(("${", "%{"), self.at):
                directives = directives or self.text[self.at] == "%"
                parts += ["".join(letters), *self._interpolation()]
                letters = []
            else:
                letters.append(self.plain_text() or self._letter(quoted=bool(closing)))
        self.at += len(closing)
        return None if directives else tuple(part for part in (*parts, "".join(letters)) if part != "")

    def _letter(self, *, quoted: bool) -> str:
        for doubled in ("$${", "%%{"):
            if self.text.startswith(doubled, self.at):
                self.at += 3
                return doubled[1:]
        letter = self.text[self.at]
        if quoted and letter == "\\":
            return self.escape()
        if quoted and letter == "\n":
            self.fail("a text in quotation marks ends in its line")
        self.at += 1
        return letter

    def _interpolation(self) -> list[Expression]:
        """`${expression}`; of a directive only its end is looked for."""
        directive = self.text[self.at] == "%"
        self.at += 2
        self.takes("~")
        if directive:
            end = self.text.find("}", self.at)
            if end < 0:
                self.fail("a directive %{ is never closed")
            self.at = end + 1
            return []
        with self.newlines(matter=False):
            inner = self.expression()
            self.takes("~")
            self.demand("}")
        return [inner]
