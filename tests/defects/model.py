"""What a defect is: one entry of a control's `breaks`, how it is planted, and which scenarios must see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.client import Sandbox

Faults = Mapping[str, Mapping[str, object]]
Undo = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class World:
    """Faults in the shared sandbox under release, and what a person does to its account; both are taken back.

    `own`: in a sandbox of its own, because nobody could take it back."""

    faults: Faults = field(default_factory=dict)
    act: Callable[[Sandbox], Undo] | None = None
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class PlanEdit:
    """Replacements in release.toml of a copy of the tree; each text must stand there exactly once."""

    edits: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class CodeEdit:
    """Replacements in files of a copy of the tree, each (path, old, new); each old text must stand there exactly once.
    For what scenarios read from the repository: they are watched without a sandbox, or `attached` to the shared one
    where they ask the account too."""

    edits: tuple[tuple[str, str, str], ...]
    attached: bool = False


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A good rehearsal's result, changed into what was observed when it went wrong. Only for facts that no fault of
    the sandbox can bring about; `doctor` changes the Evidence in place."""

    rehearsal: str
    doctor: Callable[[Any], None]


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A real rehearsal or drill with more faults (rehearsal/planted.py), after `act` on its sandbox's account (the
    release only: drills start their own sandbox)."""

    rehearsal: str
    plant: Mapping[str, object] = field(default_factory=dict)
    act: Callable[[Sandbox], Undo] | None = None


@dataclass(frozen=True, kw_only=True)
class Patched:
    """A mistake in the engine: tests/planted/<patch>.patch in a copy of the tree. With `rehearsal`: that one is carried
    out there; without: only scenarios on the virtual clock are watched."""

    patch: str
    rehearsal: str | None = None


Plant = World | PlanEdit | CodeEdit | Recorded | Rehearsed | Patched
KINDS: Mapping[type, str] = {
    World: "world",
    PlanEdit: "plan",
    CodeEdit: "code",
    Recorded: "record",
    Rehearsed: "rehearsal",
    Patched: "engine",
}


@dataclass(frozen=True, kw_only=True)
class Defect:
    """`break_` is the entry of the register, word by word. `watched`: pytest's arguments that select the domain.
    `expected`: names of exactly the scenarios that turn red among them, but for `perhaps`: those that are left without
    an answer when chance lets the rollout end before all its stages were judged. `says`: what the message of the
    control's own red scenario must match."""

    control: str
    slug: str
    break_: str
    plant: Plant
    watched: tuple[str, ...]
    expected: tuple[str, ...]
    says: str
    perhaps: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """world, plan, code, record, rehearsal or engine."""
        return KINDS[type(self.plant)]

    @property
    def name(self) -> str:
        return f"{self.control}-{self.slug}"
