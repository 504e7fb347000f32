"""Tables below a step that name what has to hold: an id, and in words what it says."""

from __future__ import annotations

from collections.abc import Sequence

from probes.question import Question
from rollout.model import Observation

Table = Sequence[Sequence[str]]
SAYS = "which says"


def named_rows(table: Table, heading: str) -> tuple[tuple[str, str], ...]:
    """(id, sentence) of every row. Raises ValueError for other columns than `heading` and "which says", or no row."""
    header, *rows = table or [()]
    if tuple(header) != (heading, SAYS):
        raise ValueError(f"the table has the columns {', '.join(header)}; write {heading} and {SAYS}")
    if not rows:
        raise ValueError(f"the table names no {heading}: nothing would be looked at")
    return tuple((row[0], row[1]) for row in rows)


def misread(question: Question, written: str) -> Observation:
    """A feature whose sentence is not what is judged: whoever signs it would sign something else."""
    return question.source_error(
        f"the feature says {written!r} of {question.name}, which says {question.rule!r}: correct the feature"
    )
