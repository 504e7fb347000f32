"""Who answered: slot, version and digest, from the body where it names them, else from the headers."""

from __future__ import annotations

from dataclasses import dataclass

from probes.http import Answer

SLOT_HEADER, VERSION_HEADER, RELEASE_HEADER = "x-slot", "x-version", "x-release-digest"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A slot with what runs there; None: not told (as answer) or not asked for (as expectation)."""

    slot: str | None = None
    version: str | None = None
    digest: str | None = None

    def differs_from(self, expected: Identity) -> str:
        """What is not as expected, as a phrase; "" when all that is expected was told so.

        A digest may be told shortened to at least 8 characters, with or without its "sha256:".
        """
        problems = [
            f"{name} {told or 'not named'} instead of {wanted}"
            for name, told, wanted in (
                ("slot", self.slot, expected.slot),
                ("version", self.version, expected.version),
            )
            if wanted is not None and told != wanted
        ]
        if expected.digest is not None and not same_digest(self.digest, expected.digest):
            problems.append(f"digest {self.digest or 'not named'} instead of {expected.digest}")
        return ", ".join(problems)

    def __str__(self) -> str:
        return f"{self.slot or 'no slot'} {self.version or 'no version'}"


def same_digest(told: str | None, wanted: str) -> bool:
    """Whether a told digest names the wanted one; release ids are its first characters, at least 8."""
    bare_told, bare_wanted = (text.removeprefix("sha256:").lower() for text in (told or "", wanted))
    return len(bare_told) >= 8 and bare_wanted.startswith(bare_told)


def named_in_body(answer: Answer) -> Identity:
    """What the JSON body names."""
    body = answer.mapping()
    release = _text(body.get("digest")) or _text(body.get("release"))
    return Identity(slot=_text(body.get("slot")), version=_text(body.get("version")), digest=release)


def identity_of(answer: Answer) -> Identity:
    """What body or headers name; where both do and differ, the body (it cannot come from a cache of headers)."""
    body = named_in_body(answer)
    return Identity(
        slot=body.slot or answer.header(SLOT_HEADER),
        version=body.version or answer.header(VERSION_HEADER),
        digest=body.digest or answer.header(RELEASE_HEADER),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
