"""`python -m policies.catalogue`: counts and gaps; `show ID` a control with its checks; `verify`; `refresh`.

`verify` and `refresh` take `--checkov PYTHON`, an interpreter that has checkov, to look into checkov's own checks too.
Ends with 0, or with 1 when something is wrong, which is then said.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from policies.catalogue import meanings
from policies.catalogue.model import KINDS, Catalogue, CatalogueError, Control
from policies.catalogue.reader import incomplete, load

_COLUMNS = ("controls", *KINDS, "code", "plan", "live", "attestations", "gaps")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.catalogue", description="What is checked, and what is not."
    )
    parser.add_argument("command", nargs="?", choices=("list", "show", "verify", "refresh"), default="list")
    parser.add_argument("control", nargs="?", default="", help="show: id of a control, as in the list")
    parser.add_argument("--checkov", default="", help="verify, refresh: an interpreter that has checkov")
    given = parser.parse_args(arguments)
    try:
        catalogue = load()
        lines, wrong = _run(catalogue, given)
    except CatalogueError as error:
        lines, wrong = [], (str(error),)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


def _run(catalogue: Catalogue, given: argparse.Namespace) -> tuple[list[str], tuple[str, ...]]:
    """Lines to print, and what is wrong."""
    if given.command == "show":
        chosen = [one for one in catalogue.controls if given.control in (one.id, f"{one.framework} {one.id}")]
        return [line for one in chosen for line in shown(catalogue, one)], () if chosen else (
            f"no control {given.control!r}",
        )
    if given.command == "list":
        return [*table(catalogue), "", *gaps(catalogue)], incomplete(catalogue)
    return _refresh(catalogue, given.checkov) if given.command == "refresh" else _verify(catalogue, given.checkov)


def _verify(catalogue: Catalogue, checkov: str) -> tuple[list[str], tuple[str, ...]]:
    stored, now, version = meanings.load(), meanings.present(catalogue), meanings.locked_checkov()
    if checkov:
        asked = meanings.from_checkov(catalogue, checkov)
        now, version = now | dict(asked.meanings), asked.checkov
    wrong = (*incomplete(catalogue), *meanings.differences(catalogue, stored, now, checkov=version))
    return [f"{len(stored.meanings)} meanings, {len(now)} looked at now"], wrong


def _refresh(catalogue: Catalogue, checkov: str) -> tuple[list[str], tuple[str, ...]]:
    if checkov:
        built_in = meanings.from_checkov(catalogue, checkov)
    else:
        kept = meanings.load()
        own = {
            name: one for name, one in kept.meanings.items() if name in catalogue.code and not meanings.is_ours(name)
        }
        built_in = meanings.Stored(checkov=kept.checkov, meanings=own)
    now = meanings.present(catalogue)
    stored = meanings.Stored(checkov=built_in.checkov, meanings={**built_in.meanings, **now})
    meanings.STORED.write_text(meanings.text(stored), encoding="utf-8")
    wrong = meanings.differences(catalogue, stored, now, checkov=meanings.locked_checkov())
    return [f"{len(stored.meanings)} meanings written; look at what changed before you commit it"], wrong


def counts(controls: Sequence[Control]) -> dict[str, int]:
    """Numbers of one framework (or of all): controls by kind, distinct checks and attestations, gaps."""
    distinct = {
        name: len({one for control in controls for one in getattr(control, name)})
        for name in ("code", "plan", "live", "attestations")
    }
    kinds = {kind: sum(control.kind == kind for control in controls) for kind in KINDS}
    return {"controls": len(controls), **kinds, **distinct, "gaps": sum(bool(control.gap) for control in controls)}


def table(catalogue: Catalogue) -> Iterator[str]:
    """One line per framework and one for all; checks and attestations are counted once each."""
    yield f"{'':<10}" + "".join(f"{name:>13}" for name in _COLUMNS)
    frameworks = list(dict.fromkeys(control.framework for control in catalogue.controls))
    for name in (*frameworks, "all"):
        chosen = [one for one in catalogue.controls if name in (one.framework, "all")]
        found = counts(chosen)
        yield f"{name:<10}" + "".join(f"{found[column]:>13}" for column in _COLUMNS)


def gaps(catalogue: Catalogue) -> Iterator[str]:
    """Every gap with its control."""
    found = [control for control in catalogue.controls if control.gap]
    yield f"{len(found)} of {len(catalogue.controls)} controls have a gap:"
    for control in found:
        yield f"  {control.framework} {control.id}: {control.gap}"


def shown(catalogue: Catalogue, control: Control) -> Iterator[str]:
    """A control as a reviewer reads it, every check with its sentence."""
    stored = meanings.load().meanings
    yield f"{control.framework} {control.id} ({control.kind}): {control.says}"
    yield f"  passing checks support {control.supports}"
    for title, names in (
        ("in code", control.code),
        ("on the plan", control.plan),
        ("on the live account", control.live),
    ):
        yield f"  {title}: {len(names)}"
        yield from (f"    {name}: {stored[name].says if name in stored else 'no stored meaning'}" for name in names)
    for name in control.attestations:
        one = catalogue.attestations[name]
        yield f"  attested by {one.by} every {one.every_days} days: {one.says}"
        yield f"    sign as {one.role}, --practice {one.sha256}"
    if control.gap:
        yield f"  gap: {control.gap}"


if __name__ == "__main__":
    sys.exit(main())
