"""What names mean while an expression is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from policies.values import Value


class Names(Protocol):
    """A module's view of itself."""

    def lookup(self, path: tuple[str, ...]) -> tuple[Value, int]:
        """The value that the first words of `path` name, and how many words it took (1 to 3).

        Never raises: what does not exist or goes round in a circle is Unknown.
        """

    def read(self, path: str) -> str | None:
        """The text of a file of the repository that is scanned; None for any other, or an unreadable one."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A module's names with what is bound around one expression: each, count, and for's own names."""

    names: Names
    bound: Mapping[str, Value] = field(default_factory=dict)

    def binding(self, **values: Value) -> Scope:
        return Scope(names=self.names, bound={**self.bound, **values})
