"""The recorded change is of this tree, and its inventory is of this recording: what is stale proves nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

from infrastructure.backend_file import environment_directory
from infrastructure.recorded_inventory import PLACE, replayed_kinds, unread
from probes.account.inventory import read_inventory
from probes.change_applied import judge_applied, read_applied
from probes.change_files import APPLIED, INVENTORY, KEPT_PLAN, KEPT_SHOWN, code_of
from probes.change_review import judge_code
from probes.terraform_plan import lock_digest, read_saved_plan, read_shown_plan
from rollout.model import Verdict

REMEDY = "record anew where Terraform is present: python -m infrastructure.record"


def test_the_plan_was_made_of_this_code_with_these_providers() -> None:
    saved = read_saved_plan((PLACE / KEPT_PLAN).read_bytes())
    root = environment_directory("production")
    found = judge_code(saved, code_of(root, saved), source=KEPT_PLAN)

    assert found.verdict is Verdict.PASS, f"{found.message}; {REMEDY}"
    assert lock_digest((root / ".terraform.lock.hcl").read_bytes()) == saved.lock_sha256, REMEDY


def test_the_record_is_of_this_plan_and_holds() -> None:
    saved = read_saved_plan((PLACE / KEPT_PLAN).read_bytes())
    seen = judge_applied(read_applied((PLACE / APPLIED).read_bytes()), saved, source=APPLIED)

    assert {one.name: one.message for one in seen if one.verdict is not Verdict.PASS} == {}, REMEDY


def test_what_the_plan_shows_is_whole_and_destroys_nothing() -> None:
    shown = read_shown_plan(gzip.decompress((PLACE / KEPT_SHOWN).read_bytes()))

    assert shown.whole
    assert len(shown.changes) > 200
    assert shown.losses == ()


def test_the_inventory_is_what_a_sandbox_starts_from(tmp_path: Path) -> None:
    kept = read_inventory((PLACE / INVENTORY).read_bytes())
    kinds = replayed_kinds(tmp_path)

    assert unread(kinds) == []
    assert kept.kinds == kinds, "take it anew: python -m infrastructure.recorded_inventory"


def test_no_value_that_opens_something_is_kept() -> None:
    """A saved plan holds its variables; the one that is secret in a real environment is a word here."""
    shown = gzip.decompress((PLACE / KEPT_SHOWN).read_bytes())

    assert b'"test_header_value":{"value":"recorded-value-that-opens-nothing"}' in shown.replace(b" ", b"")
