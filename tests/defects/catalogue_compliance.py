"""Defects of compliance, of the change and of the audit: in the account, in the papers, in a copy of the tree."""

from __future__ import annotations

from rehearsal.catalogue import RELEASE
from tests.defects import deeds_compliance as deeds
from tests.defects.doctoring import journal_line_edited
from tests.defects.model import CodeEdit, Defect, Plant, Recorded, World

_INFRASTRUCTURE = "features/pre_deployment/infrastructure.feature"
_BEFORE = "features/pre_deployment/compliance.feature"
_GATE = "features/compliance/quality_gate.feature"
_AUDIT = "features/compliance/audit.feature"
_APPLIED = "features/compliance/change.feature"
_AFTER = "features/post_deployment/compliance.feature"
_JOURNAL = "features/post_deployment/journal.feature"

_EXISTS = "Everything that the environment declares exists"
_NOTHING_BY_HAND = "Nothing was added, removed or opened by hand"
_APPROVED = "The plan was approved, and loses nothing unnamed"
_EVIDENCE = "HIPAA, SOC 2 and GDPR controls are supported by evidence"
_ACCEPTED = "Accepted findings have an owner, a reason and an end"
_MAPPED = "No mapped check is gone or means something else"
_TRAIL = "The trail records everything, everywhere, and can be verified"
_DETECTOR = "The detector is on and has no open finding of high severity"
_APPLY = "The approved plan was applied, whole and undisturbed"
_HIPAA = "Every HIPAA safeguard has checks in code and account that hold"
_SOC2 = "Every SOC 2 criterion has checks in code and account that hold"
_GDPR = "Every GDPR article has checks in code and account that hold"
_CHAIN = "The journal is whole and announces every effect before it"

_SUPPRESSED = """[[suppression]]
policy = "CKV_RG_34"
resources = ["module.compute.aws_ecr_repository.this*"]
roots = ["infrastructure/environments/*"]
owner = "platform"
reason = "the registry moves to another account in spring"
approver = "security"
expires = 2026-01-31
"""
_LAST_COMMENT = "# expires = 2027-01-31          # at most a year ahead; valid to the end of that day, UTC\n"

Row = tuple[str, str, str, Plant, tuple[str, ...], tuple[str, ...], str]

_ACCOUNT: tuple[Row, ...] = (
    (
        "PRE-01",
        "group-deleted",
        "a target group deleted by hand",
        World(act=deeds.delete_the_candidates_group, own=True),
        (_INFRASTRUCTURE, "-m", "PRE-01"),
        (_EXISTS, _NOTHING_BY_HAND),
        "blue|both|target group",
    ),
    (
        "PRE-01",
        "one-zone",
        "subnets all in one zone",
        World(act=deeds.leave_one_zone, own=True),
        (_INFRASTRUCTURE, "-m", "PRE-01"),
        (_EXISTS, _NOTHING_BY_HAND),
        "zone",
    ),
    (
        "PRE-01",
        "rule-by-hand",
        "a security group rule added by hand (drift)",
        World(act=deeds.open_a_port),
        (_INFRASTRUCTURE, "-m", "PRE-01"),
        (_NOTHING_BY_HAND,),
        r"not declared: sg-\w+ \(\S+-database\): tcp 5432 from sg-",
    ),
    (
        "PRE-09",
        "cannot-run",
        "a control whose check could not run",
        World(faults={"cloud": {"dynamodb": "denied"}}),
        (_BEFORE,),
        (_EVIDENCE,),
        "SOURCE_ERROR.*denied",
    ),
    (
        "PRE-09",
        "unencrypted-bucket",
        "an unencrypted bucket",
        World(act=deeds.encrypt_with_amazons_key),
        (_BEFORE,),
        (_EVIDENCE,),
        "storage.encrypted is FAIL.*shop-api-documents",
    ),
    (
        "VAL-10",
        "log-for-ever",
        "audit log without retention",
        World(act=deeds.keep_audit_log_for_ever),
        (_AFTER,),
        (_HIPAA, _SOC2, _GDPR),
        "logs.retention is FAIL.*trail",
    ),
    (
        "VAL-10",
        "plain-database",
        "database without encryption",
        World(act=deeds.add_plain_database),
        (_AFTER,),
        (_HIPAA, _SOC2, _GDPR),
        "database.encrypted is FAIL.*reporting",
    ),
    (
        "VAL-11",
        "no-second-factor",
        "no multi-factor rule on the deploy role",
        World(act=deeds.trust_everybody_of_the_account),
        (_AFTER,),
        (_HIPAA, _SOC2, _GDPR),
        "roles.second_factor is FAIL.*release-submitter",
    ),
    (
        "VAL-12",
        "abroad",
        "bucket in another region",
        World(act=deeds.store_abroad),
        (_AFTER,),
        (_SOC2, _GDPR),
        "storage.resident is FAIL.*shop-api-abroad.*ap-south-1",
    ),
    (
        "VAL-12",
        "no-lifecycle",
        "no lifecycle rule",
        World(act=deeds.keep_objects_for_ever),
        (_AFTER,),
        (_HIPAA, _SOC2, _GDPR),
        "storage.lifecycle is FAIL.*shop-api-documents",
    ),
    ("ARCH-07", "trail-stopped", "trail stopped", World(act=deeds.stop_the_trail), (_AUDIT,), (_TRAIL,), "IsLogging"),
    (
        "ARCH-09",
        "suspended",
        "detector suspended",
        World(faults={"account": {"detector_suspended": True}}),
        (_AUDIT,),
        (_DETECTOR,),
        "DISABLED",
    ),
    (
        "ARCH-09",
        "high-finding",
        "an open high finding",
        World(faults={"account": {"high_finding": True}}),
        (_AUDIT,),
        (_DETECTOR,),
        "1 open finding",
    ),
)

_PAPERS: tuple[Row, ...] = (
    (
        "PRE-16",
        "changed-after",
        "plan changed after approval",
        World(act=deeds.change_the_plan),
        (_INFRASTRUCTURE, "-m", "PRE-16"),
        (_APPROVED,),
        "attestation for another plan",
    ),
    (
        "PRE-16",
        "database-replaced",
        "an unnamed replace of the database",
        World(act=deeds.replace_the_database),
        (_INFRASTRUCTURE, "-m", "PRE-16"),
        (_APPROVED,),
        r"replaces the database module\.database\.aws_db_instance\.primary, which the approver did not name",
    ),
    (
        "VAL-11",
        "not-approved",
        "change without approval",
        World(act=deeds.withdraw_the_approval),
        (_AFTER,),
        (_SOC2,),
        "nobody has attested anything about plan",
    ),
    (
        "PROC-01",
        "no-saved-plan",
        "apply without a saved plan",
        World(act=deeds.record_says(plan_sha256="")),
        (_APPLIED,),
        (_APPLY,),
        "apply without a saved plan",
    ),
    (
        "PROC-01",
        "state-changed",
        "state changed between plan and apply",
        World(act=deeds.record_says(state_before={"lineage": "9f60cd56", "serial": 4})),
        (_APPLIED,),
        (_APPLY,),
        "the state changed between plan and apply",
    ),
    (
        "PROC-01",
        "half-way",
        "apply failed half-way",
        World(act=deeds.record_says(exit_code=1)),
        (_APPLIED,),
        (_APPLY,),
        "failed half-way",
    ),
    (
        "PROC-01",
        "other-providers",
        "lock file differs",
        World(act=deeds.record_says(lock_sha256="0" * 64)),
        (_APPLIED,),
        (_APPLY,),
        "provider lock file differs",
    ),
)

_TREE: tuple[Row, ...] = (
    (
        "PRE-09",
        "expired",
        "an expired suppression",
        CodeEdit(
            edits=(("policies/suppressions.toml", _LAST_COMMENT, f"{_LAST_COMMENT}\n{_SUPPRESSED}"),), attached=True
        ),
        (_BEFORE,),
        (_ACCEPTED,),
        "expired on 2026-01-31",
    ),
    (
        "QG-05",
        "check-removed",
        "a mapped check removed",
        CodeEdit(edits=(("policies/catalogue/areas.toml", 'live = ["trail.recording", ', "live = ["),), attached=True),
        (_GATE, _BEFORE),
        (_MAPPED,),
        "trail.recording has a stored meaning, but no control names it",
    ),
)

_RECORD: tuple[Row, ...] = (
    (
        "ARCH-07",
        "journal-edited",
        "a journal line edited",
        Recorded(rehearsal=RELEASE, doctor=journal_line_edited),
        (_JOURNAL,),
        (_CHAIN,),
        "its content was changed after it was written",
    ),
)


def _defects(*tables: tuple[Row, ...]) -> tuple[Defect, ...]:
    return tuple(
        Defect(control=c, slug=s, break_=b, plant=p, watched=w, expected=e, says=says)
        for rows in tables
        for c, s, b, p, w, e, says in rows
    )


DEFECTS = _defects(_ACCOUNT, _PAPERS, _TREE, _RECORD)
