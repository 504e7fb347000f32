"""Every check is proven able to fail: each entry of `breaks` is planted, exactly the expected scenarios turn red with
a message that names the cause, and they are green again without it (design.md 7, contracts.md 5).

A rotating tenth by default, and what the git diff touches; all with `--all-defects` (`make defects`); one with `-k`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gate.selection import controls_with_scenarios
from tests.defects.catalogue import DEFECTS, chosen
from tests.defects.model import Defect, Patched
from tests.defects.planting import Greenhouse, see
from tests.defects.trees import PATCHES, ROOT


@pytest.mark.xdist_group("defects")
@pytest.mark.usefixtures("stopwatch")
def test_a_planted_defect_is_seen(
    defect: Defect, house: Greenhouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = see(defect, house, tmp_path)

    told = "\n".join(f"  {name}: {text}" for name, texts in seen.red.items() for text in texts) or "  nothing"
    with capsys.disabled():
        print(f"\n{defect.name} ({defect.kind}) turned red in {seen.seconds:.1f} s:\n{told}")  # noqa: T201
    assert set(seen.red) - set(defect.perhaps) == set(defect.expected), (
        f"{defect.name}: {defect.break_!r} is planted ({defect.kind}); red are\n{told}\nexpected are {defect.expected}"
    )
    assert re.search(defect.says, seen.said(defect.control)), (
        f"{defect.name}: no message matches {defect.says!r}:\n{seen.said(defect.control)}"
    )


def test_every_break_of_a_built_control_is_planted() -> None:
    with (ROOT / "features" / "controls.toml").open("rb") as file:
        register = {entry["id"]: entry for entry in tomllib.load(file)["control"]}
    built = controls_with_scenarios(ROOT / "features", register)
    wanted = {(name, text) for name in built for text in register[name].get("breaks", ())}
    planted = {(defect.control, defect.break_) for defect in DEFECTS}

    assert wanted - planted == set(), "breaks of features/controls.toml without a defect in tests/defects"
    assert planted - wanted == set(), "defects that name no break of a built control"


def test_names_are_unique_and_patches_exist() -> None:
    names = [defect.name for defect in DEFECTS]

    assert len(names) == len(set(names))
    patches = {defect.plant.patch for defect in DEFECTS if isinstance(defect.plant, Patched)}
    assert {name for name in patches if not (PATCHES / f"{name}.patch").exists()} == set()


def test_ten_runs_plant_everything() -> None:
    planted = {defect.name for tenth in range(10) for defect in chosen(tenth, tenths=10, changed=())}

    assert planted == {defect.name for defect in DEFECTS}


def test_a_change_plants_what_it_touches() -> None:
    touched = chosen(0, tenths=len(DEFECTS), changed=("probes/tls.py",))

    assert {"PRE-03", "VAL-07"} <= {defect.control for defect in touched}
    assert len(touched) < len(DEFECTS) / 2
