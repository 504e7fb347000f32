"""Edits of the infrastructure's code, and rows of defects that are planted by them."""

from __future__ import annotations

from tests.defects.model import CodeEdit, Defect

Edit = tuple[str, str, str]
# control, slug, break, edits, scenarios that turn red, what the message says
Row = tuple[str, str, str, tuple[Edit, ...], tuple[str, ...], str]

ENVIRONMENTS = ("production", "staging", "development")
_WATCHED = ("features/infrastructure", "-m", "code")


def module(file: str, old: str, new: str) -> Edit:
    return (f"infrastructure/modules/{file}", old, new)


def environment(name: str, file: str, *, old: str, new: str) -> Edit:
    return (f"infrastructure/environments/{name}/{file}", old, new)


def shared(file: str, old: str, new: str) -> tuple[Edit, ...]:
    """In the original and in every environment's copy of it: no environment stands out."""
    copies = tuple(environment(name, file, old=old, new=new) for name in ENVIRONMENTS)
    return ((f"infrastructure/shared/{file}", old, new), *copies)


def planted(rows: tuple[Row, ...]) -> tuple[Defect, ...]:
    return tuple(
        Defect(control=c, slug=s, break_=b, plant=CodeEdit(edits=edits), watched=_WATCHED, expected=red, says=says)
        for c, s, b, edits, red, says in rows
    )
