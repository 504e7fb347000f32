"""Defects that no fault of the sandbox brings about: a good rehearsal's result, changed into that of a wrong one."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.catalogue import RELEASE
from tests.defects import doctoring
from tests.defects.catalogue_engine import drill_about
from tests.defects.catalogue_release import (
    CANDIDATE,
    IMAGE_ONLY,
    NAME_FOLLOWS,
    NAMES_DECLARED,
    NOT_CUT_OFF,
    REALLY_MOVED,
    RUNS_IMAGE,
    STABILITY,
    TARGETS,
    WATCHED,
)
from tests.defects.evidence import Evidence
from tests.defects.model import Defect, Recorded, Rehearsed

_ERRORS = drill_about("answers errors")
_NOT_VERIFIED = drill_about("stable side after them")
_CANARY = ("features/deployment/canary.feature", "-k", "really_moved or own_stored_proof")
_DRAIN = (
    "features/deployment/stability.feature",
    "features/deployment/canary.feature",
    "-k",
    "cutting or request_fails",
)
_ROLLBACK = "features/rollback/rollback.feature"

_Row = tuple[str, str, str, Callable[[Evidence], None], tuple[str, ...], tuple[str, ...], str]

_RELEASE: tuple[_Row, ...] = (
    (
        *("DUR-01", "old-digest", "old image digest", doctoring.runs_old_image),
        *(CANDIDATE, (RUNS_IMAGE, IMAGE_ONLY), "tasks run .*released is"),
    ),
    (
        # Planted for real, preflight refuses to begin: half of the public answers are 503.
        *("DUR-04", "one-unhealthy", "one target unhealthy", doctoring.one_target_unhealthy),
        *(CANDIDATE, (TARGETS,), "1 of 2 targets of green healthy"),
    ),
    (
        *("PROC-04", "number-made-up", "build number used as revision", doctoring.revision_made_up),
        *(CANDIDATE, (IMAGE_ONLY,), "runs shop-api:117"),
    ),
    (
        *("PROC-04", "other-role", "environment or role changed unannounced", doctoring.role_changed),
        *(CANDIDATE, (IMAGE_ONLY,), "not declared: .*taskRoleArn"),
    ),
    (
        *("DUR-07", "stage-skipped", "a stage skipped", doctoring.stage_skipped),
        *(_CANARY, (REALLY_MOVED, "Every stage grew on its own stored proof"), r"\[5, 50, 100\]"),
    ),
    (
        *("DUR-09", "with-weight", "scaled down while it still had weight", doctoring.retired_with_weight),
        *(STABILITY, (NOT_CUT_OFF, NAME_FOLLOWS, NAMES_DECLARED), "its weight was 50 %"),
    ),
    (
        *("DUR-09", "cut-off", "connections cut before the deregistration delay", doctoring.connections_cut),
        *(_DRAIN, (NOT_CUT_OFF, "No request fails while customers move"), "3 of [0-9]+ requests failed.* reset"),
    ),
    (
        *("DUR-10", "before-its-ttl", "record removed before its TTL", doctoring.retired_before_expiry),
        *(STABILITY, (NAME_FOLLOWS,), "20 s after the name was resolved, lifetime 60 s"),
    ),
    (
        *("PROC-11", "29-verified", "29 minutes", doctoring.watched_29_minutes),
        *(STABILITY, (WATCHED,), "29 verified minutes"),
    ),
    (
        *("PROC-11", "detached", "stable group detached from the listener", doctoring.stable_detached),
        *(STABILITY, (WATCHED,), "not attached at weight 0"),
    ),
    (
        *("PROC-11", "triggers-not-shown", "triggers off after 100%", doctoring.triggers_not_shown),
        *(STABILITY, (WATCHED,), "minutes have a decision with all five triggers"),
    ),
    (
        *("PROC-12", "foreign-record", "a foreign record in the batch", doctoring.foreign_record),
        *(STABILITY, (NAMES_DECLARED,), "api.shop.example"),
    ),
    (
        *("PROC-12", "delete", "DELETE without its CREATE", doctoring.deleted_only),
        *(STABILITY, (NAMES_DECLARED,), "DELETE"),
    ),
    (
        *("PROC-12", "another-zone", "another zone", doctoring.another_zone),
        *(STABILITY, (NAMES_DECLARED,), "in another zone: ZANOTHER"),
    ),
    (
        *("PROC-12", "already-gone", "old side already gone", doctoring.retired_before_names),
        *(STABILITY, (NAMES_DECLARED, NAME_FOLLOWS), "names changed -"),
    ),
)

_DRILLS: tuple[tuple[str, _Row], ...] = (
    (
        _ERRORS,
        (
            *("MET-03", "one-second-late", "5 min 1 s", doctoring.verified_late),
            *((_ROLLBACK, "-m", "MET-03"), ("A rollback is verified in under 5 minutes",), "5.0 min.*limit 5 min"),
        ),
    ),
    (
        _ERRORS,
        (
            *("RB-03", "candidate-drains", "the candidate answers while draining", doctoring.candidate_answers_on),
            (_ROLLBACK, "-k", "through_the_public or first_effect"),
            ("Health is verified through the public address", "The first effect of a rollback is the listener"),
            "of the last 5 answers",
        ),
    ),
    (
        _ERRORS,
        (
            *("RB-05", "with-weight", "scaled down with weight left", doctoring.cleaned_with_weight),
            (_ROLLBACK, "-k", "goes_only_after or first_effect"),
            (
                "The candidate goes only after the stable side is verified",
                "The first effect of a rollback is the listener",
            ),
            "not after the verification",
        ),
    ),
    (
        _NOT_VERIFIED,
        (
            *(
                "RB-05",
                "scaled-to-zero",
                "stable never healthy and candidate scaled to 0",
                doctoring.cleaned_unverified,
            ),
            (_ROLLBACK, "-k", "kept_while"),
            ("The candidate is kept while the stable side is not verified",),
            "1 scale-downs of the candidate",
        ),
    ),
)


def _defect(row: _Row, rehearsal: str) -> Defect:
    control, slug, break_, doctor, watched, expected, says = row
    plant = Recorded(rehearsal=rehearsal, doctor=doctor)
    return Defect(control=control, slug=slug, break_=break_, plant=plant, watched=watched, expected=expected, says=says)


DEFECTS = (
    *(_defect(row, RELEASE) for row in _RELEASE),
    *(_defect(row, rehearsal) for rehearsal, row in _DRILLS),
    Defect(
        control="RB-04",
        slug="channel-down",
        break_="alert channel down",
        plant=Rehearsed(rehearsal=_ERRORS, plant={"before": {"cloud": {"sns": "down"}}}),
        watched=(_ROLLBACK, "-k", "operations_team"),
        expected=("The operations team is told cause, figures and outcome",),
        says="told: nothing; missing: ROLLOUT STARTED",
    ),
)
