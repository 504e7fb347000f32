"""Draws the engine's states from `rollout.decide.TABLE` into docs/architecture.md, between its two markers.

`python docs/draw_states.py` rewrites the block; with `--check` nothing is written and a stale block ends with 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rollout.decide import TABLE  # noqa: E402 - the repository is no installed package, its root has to be found first
from rollout.record import TERMINAL_STATES, State  # noqa: E402 - likewise
from rollout.sight import Event  # noqa: E402 - likewise

PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- states: begin (docs/draw_states.py) -->"
END = "<!-- states: end -->"
# An event that leads from so many states to the same one is told in a table: drawn, it would hide the rest.
SHARED_MIN = 3

Sources = Mapping[tuple[Event, State], list[State]]


def leaving() -> Sources:
    """(event, where it leads) -> the states that it leaves, in the order of the table."""
    found: dict[tuple[Event, State], list[State]] = {}
    for (state, event), row in TABLE.items():
        if row.to is not state:
            found.setdefault((event, row.to), []).append(state)
    return found


def staying() -> Mapping[State, list[Event]]:
    """State -> the events that it answers without being left; waiting is not worth a word."""
    found: dict[State, list[Event]] = {}
    for (state, event), row in TABLE.items():
        if row.to is state and event is not Event.WAIT:
            found.setdefault(state, []).append(event)
    return found


def diagram(sources: Sources) -> Iterator[str]:
    """The lines of a Mermaid state diagram: one arrow per pair of states, its events together."""
    arrows: dict[tuple[State, State], list[Event]] = {}
    for (event, to), states in sources.items():
        for state in states if len(states) < SHARED_MIN else ():
            arrows.setdefault((state, to), []).append(event)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.PREPARING}"
    for state in State:
        for (source, to), events in arrows.items():
            if source is state:
                yield f"    {source} --> {to}: {', '.join(map(words, events))}"
    for state in State:
        if state in TERMINAL_STATES:
            yield f"    {state} --> [*]"
    yield "```"


def shared_rows(sources: Sources) -> Iterator[str]:
    """The table of events that lead from many states to one."""
    yield "| found in any of | event | leads to |"
    yield "|---|---|---|"
    merged: dict[tuple[tuple[State, ...], State], list[Event]] = {}
    for (event, to), states in sources.items():
        if len(states) >= SHARED_MIN:
            merged.setdefault((tuple(states), to), []).append(event)
    for (several, to), events in merged.items():
        yield f"| {', '.join(several)} | {', '.join(map(words, events))} | {to} |"


def staying_rows() -> Iterator[str]:
    """The table of events that are answered within a state."""
    yield "| state | answers in place |"
    yield "|---|---|"
    for state, events in staying().items():
        yield f"| {state} | {', '.join(map(words, events))} |"


def words(event: Event) -> str:
    """CANDIDATE_READY as a person writes it."""
    return str(event).replace("_", " ").lower()


def block() -> str:
    """Everything between the markers."""
    sources = leaving()
    parts: tuple[Iterable[str], ...] = (diagram(sources), shared_rows(sources), staying_rows())
    return "\n\n".join("\n".join(part) for part in parts)


def with_block(text: str) -> str:
    """The page with the block drawn anew. Raises ValueError when the markers are not there once each, in order."""
    if (text.count(BEGIN), text.count(END)) != (1, 1) or text.index(BEGIN) > text.index(END):
        raise ValueError(f"{PAGE.name} must hold {BEGIN!r} and then {END!r}, once each; put them back")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{block()}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """0: written, or up to date; 1: stale (with --check)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when the block is stale")
    check = parser.parse_args(arguments).check
    text = PAGE.read_text(encoding="utf-8")
    drawn = with_block(text)
    if drawn == text:
        return 0
    if check:
        sys.stderr.write("docs/architecture.md: the states are stale; run `python docs/draw_states.py`\n")
        return 1
    PAGE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
