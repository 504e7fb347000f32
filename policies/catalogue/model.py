"""The catalogue's words: frozen data, made by `reader`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

TECHNICAL, PROCESS, ATTESTATION = "technical", "process", "attestation"
KINDS = (TECHNICAL, PROCESS, ATTESTATION)


class CatalogueError(ValueError):
    """A file of the catalogue is wrong; the text names file, entry and remedy."""


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """What a person vouches for: `by` is a role, `every_days` the longest time between two of them."""

    name: str
    says: str
    by: str
    every_days: int

    @property
    def role(self) -> str:
        """`by` as a list of approvers spells roles: `security-officer`, `independent-reviewer`."""
        words = [word for word in self.by.lower().split() if word not in ("a", "an", "the")]
        return "-".join(words)

    @property
    def sha256(self) -> str:
        """Of the words that are vouched for: whoever attested others has not attested these."""
        return hashlib.sha256(json.dumps([self.name, self.says, self.by]).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control of a framework.

    `supports` says what passing checks are evidence of, never that the control is met. `code` are policies over
    Terraform's source, `plan` those over its plan, `live` questions to the account; `gap` is what none of them sees.
    """

    framework: str
    id: str
    says: str
    kind: str
    supports: str
    areas: tuple[str, ...]
    code: tuple[str, ...]
    plan: tuple[str, ...]
    live: tuple[str, ...]
    attestations: tuple[str, ...]
    gap: str = ""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All controls in the order of their files, and the attestations by name."""

    controls: tuple[Control, ...]
    attestations: Mapping[str, Attestation]

    @property
    def code(self) -> frozenset[str]:
        """Ids of all policies that a control names, whether read from source or plan."""
        return frozenset(name for control in self.controls for name in (*control.code, *control.plan))

    @property
    def live(self) -> frozenset[str]:
        """Names of all questions to the account that a control names."""
        return frozenset(name for control in self.controls for name in control.live)
