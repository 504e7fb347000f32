"""Errors of the engine: few, typed, each with the cause and what to do next."""

from __future__ import annotations


class RolloutError(Exception):
    """An error that a person can act on: `what` went wrong with which `target`, and a `hint` what to do."""

    exit_code = 2

    def __init__(self, what: str, *, target: str = "", hint: str = "") -> None:
        self.what, self.target, self.hint = what, target, hint
        super().__init__(what + (f" ({target})" if target else "") + (f". {hint}" if hint else ""))


class BadInput(RolloutError):
    """A plan, a name or an argument is wrong; nothing was changed."""


class SourceError(RolloutError):
    """A service did not answer, refused, or answered nonsense. Never evidence of anything."""

    exit_code = 6


class AccessDenied(SourceError):
    """The caller may not do this; retrying cannot help."""


class ConflictError(RolloutError):
    """The record was changed by somebody else since it was read: read again, decide again."""


class LeaseLost(RolloutError):
    """Another controller leads this rollout."""


class InvariantBroken(RolloutError):
    """A thing that must never be true was found true: the rollout holds and people are paged."""

    exit_code = 70
