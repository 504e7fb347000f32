"""Compares the controls that a run saw only on imitations with the list that docs/emulated.md allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollout.model import Basis

_ROW = re.compile(r"^\|\s*([A-Z]+-\d{2,})\s*\|\s*(.*?)\s*\|\s*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`undeclared`: emulated in the run, not on the list. `outdated`: on the list, decided in the run on better."""

    undeclared: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """True if list and run say the same about every control that the run decided."""
        return not self.undeclared and not self.outdated


def allowed_emulated(text: str) -> dict[str, str]:
    """Control id -> reason, from the rows `| ID | reason |` of docs/emulated.md.

    Raises ValueError for a row without a reason, or a control that stands there twice.
    """
    allowed: dict[str, str] = {}
    for control, reason in _ROW.findall(text):
        if control in allowed:
            raise ValueError(f"docs/emulated.md lists {control} twice; keep one row")
        if not reason:
            raise ValueError(f"docs/emulated.md lists {control} without a reason; say what is imitated")
        allowed[control] = reason
    return allowed


def compare_emulated(results: Mapping[str, Any], allowed: Mapping[str, str]) -> Comparison:
    """Compare a run's emulated controls with the allowed list; controls that were not decided say nothing."""
    decided = {control["id"]: control["basis"] for control in results["controls"] if control["basis"] is not None}
    emulated = {control for control, basis in decided.items() if basis == Basis.EMULATED}
    return Comparison(
        undeclared=tuple(sorted(emulated - set(allowed))),
        outdated=tuple(sorted(control for control in allowed if control in decided and control not in emulated)),
    )
