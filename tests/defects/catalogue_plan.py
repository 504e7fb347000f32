"""Defects of the plan: release.toml edited as somebody in a hurry would."""

from __future__ import annotations

from tests.defects.model import Defect, PlanEdit

_CHEAP = ("features/deployment/canary.feature", "-k", "plan")
_STAGES = "The plan has the guide's stages and bakes"
_IN_TIME = "The plan can reach all customers in under 30 minutes"
_WATCHED = "The plan watches all customers for 30 minutes"
_FIRST = "{ share_percent = 5, bake_minutes = 15 }"
_THIRD = "{ share_percent = 50, bake_minutes = 2 }"


def _plan(old: str, new: str) -> PlanEdit:
    return PlanEdit(edits=((old, new),))


DEFECTS = (
    Defect(
        control="MET-02",
        slug="31-minutes-of-bakes",
        break_="a plan whose bakes add up to 31 minutes",
        plant=_plan(_FIRST, "{ share_percent = 5, bake_minutes = 27 }"),
        watched=_CHEAP,
        expected=(_IN_TIME,),
        says="4[0-9] min|31|30 min",
    ),
    Defect(
        control="PROC-10",
        slug="first-bake-of-14",
        break_="first bake of 14 minutes",
        plant=_plan(_FIRST, "{ share_percent = 5, bake_minutes = 14 }"),
        watched=_CHEAP,
        expected=(_STAGES,),
        says="bakes 14 min, at least 15",
    ),
    Defect(
        control="PROC-10",
        slug="stage-removed",
        break_="a stage removed in release.toml",
        plant=_plan("  { share_percent = 25, bake_minutes = 2 },\n", ""),
        watched=_CHEAP,
        expected=(_STAGES,),
        says=r"stages at \[5, 50, 100\]",
    ),
    Defect(
        control="PROC-10",
        slug="no-bake-at-50",
        break_="50% without a bake",
        plant=_plan(_THIRD, "{ share_percent = 50, bake_minutes = 0 }"),
        watched=_CHEAP,
        expected=(_STAGES, _WATCHED, _IN_TIME),  # a plan that is refused is no plan at all,
        says=r"refused: .*plan\.stages\[2\]\.bake_minutes: 0 is not allowed",
    ),
    Defect(
        control="PROC-11",
        slug="29-minutes",
        break_="29 minutes",
        plant=_plan("stability_minutes = 30\n", "stability_minutes = 29\n"),
        watched=_CHEAP,
        expected=(_WATCHED,),
        says="29 min, at least 30",
    ),
)
