"""What a Terraform file says, as data: blocks, arguments, expressions (hashicorp/hcl, hclsyntax/spec.md)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Literal:
    """A number, a boolean or null."""

    value: float | int | bool | None


@dataclass(frozen=True)
class Template:
    """A quoted text or heredoc: texts and interpolated expressions in order."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True)
class Opaque:
    """A template with directives (%{...}): read, not evaluated."""

    text: str


@dataclass(frozen=True)
class Name:
    """A bare name: the start of a reference, or the key of an object."""

    name: str


@dataclass(frozen=True)
class Attribute:
    """`of.name`."""

    of: Expression
    name: str


@dataclass(frozen=True)
class Index:
    """`of[key]`."""

    of: Expression
    key: Expression


@dataclass(frozen=True)
class Splat:
    """`of[*].rest`: `rest` is an expression over Name("*")."""

    of: Expression
    rest: Expression


@dataclass(frozen=True)
class Call:
    """`name(arguments)`; with `expand`, the last argument is a list of arguments."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool = False


@dataclass(frozen=True)
class Unary:
    """`!operand` or `-operand`."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Conditional:
    """`condition ? yes : no`."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True)
class Tuple:
    """`[items]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Object:
    """`{key = value}`; a bare name as key is its text."""

    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, kw_only=True)
class For:
    """`[for ...]`, or `{for ...}` where `key` is given; `grouped` for values that end in `...`."""

    names: tuple[str, ...]
    over: Expression
    value: Expression
    key: Expression | None = None
    condition: Expression | None = None
    grouped: bool = False


Expression = (
    Literal | Template | Opaque | Name | Attribute | Index | Splat | Call | Unary | Binary | Conditional
    | Tuple | Object | For
)  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """`name = expression` at a line (1-based)."""

    expression: Expression
    line: int


@dataclass(frozen=True, kw_only=True)
class Body:
    """What stands between the braces of a block, or a whole file."""

    arguments: dict[str, Argument] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def of(self, kind: str) -> list[Block]:
        """Its blocks of one type, in order."""
        return [block for block in self.blocks if block.kind == kind]


@dataclass(frozen=True, kw_only=True)
class Block:
    """`kind "label" ... { body }`, with its lines (1-based, both included)."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    line: int
    end_line: int


@dataclass(frozen=True)
class Comment:
    """A comment without its marks, at its line."""

    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class File:
    """A parsed file."""

    path: str
    body: Body
    comments: tuple[Comment, ...]


class Unparsable(ValueError):
    """A file that is not Terraform: names file, line and what was expected."""

    def __init__(self, path: str, line: int, what: str) -> None:
        self.path, self.line, self.what = path, line, what
        super().__init__(f"{path}:{line}: {what}")
