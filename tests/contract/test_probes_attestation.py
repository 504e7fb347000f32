"""Approvals end to end: the command line, a directory of files, and what OpenSSH and Terraform themselves write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from probes.attestation.__main__ import application
from probes.attestation.approvers import read_approvers
from probes.attestation.documents import FILES_MAX, Attestation, open_document, read_documents
from probes.change_review import Proposal, judge_review
from probes.question import worst
from probes.strict_json import Unparsable
from probes.terraform_plan import read_saved_plan, read_shown_plan
from rollout.model import Verdict
from tests.unit.probes.attestation_samples import (
    ADA,
    AUTHOR,
    DATABASE,
    KEYS,
    SAVED,
    change,
    line_of,
    shown_plan,
)

needs_openssh = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None,
    reason="owner release-gates: the formats' own tool is absent; install openssh-client to compare with it",
)
needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None,
    reason="owner release-gates: terraform is absent; put its binary on PATH to read a plan that it wrote",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A plan, a key, a list of approvers and a directory for approvals."""
    (tmp_path / "tfplan").write_bytes(SAVED)
    (tmp_path / "tfplan.json").write_bytes(shown_plan(change(DATABASE, "delete", "create")))
    (tmp_path / "key").write_bytes(
        KEYS[ADA].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "key.pub").write_text(f"{line_of(KEYS[ADA])} ada\n")
    (tmp_path / "approvers.toml").write_text(
        f'schema = 1\n[[approver]]\nidentity = "{ADA}"\nroles = ["infrastructure"]\nkey = "{line_of(KEYS[ADA])}"\n'
    )
    (tmp_path / "approvals").mkdir()
    return tmp_path


def run(place: Path, *words: str) -> Result:
    """A command, with paths given relative to `place`."""
    return CliRunner().invoke(
        application,
        [str(place / word[1:]) if word.startswith("@") else word for word in words],
        prog_name="attestation",
    )


def drafted(place: Path) -> Path:
    result = run(
        place,
        *("draft", "--control", "PRE-16", "--plan", "@tfplan", "--shown", "@tfplan.json", "--approver", ADA),
        *("--role", "infrastructure", "--explanation", "read it", "--destroys", DATABASE),
    )
    assert result.exit_code == 0, result.output
    assert f"replaces the database {DATABASE}" in result.stderr
    path = place / "review.json"
    path.write_bytes(result.stdout_bytes)
    return path


def reviewed(place: Path) -> Verdict:
    """PRE-16 as the gate asks it, from the files."""
    wanted = Proposal(
        saved=read_saved_plan((place / "tfplan").read_bytes()),
        shown=read_shown_plan((place / "tfplan.json").read_bytes()),
        authors=frozenset({AUTHOR}),
    )
    approvers = read_approvers((place / "approvers.toml").read_bytes())
    documents = read_documents(place / "approvals")
    return worst(judge_review(wanted, documents, approvers, now=datetime.now(UTC), source="approvals"))


def test_what_the_command_line_signs_opens_the_gate(place: Path) -> None:
    """Draft, sign, verify, judge; nothing signed is NO_DATA... and the database's replacement is named."""
    drafted(place)
    shut = reviewed(place)
    signed = run(place, "sign", "@review.json", "--key", "@key", "--output", "@approvals/review.dsse.json")
    verified = run(place, "verify", "@approvals", "--approvers", "@approvers.toml")

    assert shut is Verdict.FAIL  # no approval (NO_DATA), and the replacement is named by nobody (FAIL)
    assert signed.exit_code == 0, signed.output
    assert verified.exit_code == 0, verified.output
    assert f"SIGNED review.dsse.json: {ADA}: PRE-16 passed for plan" in verified.stdout
    assert reviewed(place) is Verdict.PASS


def test_a_signed_statement_is_not_overwritten(place: Path) -> None:
    drafted(place)
    first = run(place, "sign", "@review.json", "--key", "@key", "--output", "@approvals/review.dsse.json")
    second = run(place, "sign", "@review.json", "--key", "@key", "--output", "@approvals/review.dsse.json")

    assert (first.exit_code, second.exit_code) == (0, 2)
    assert "is there already" in second.stderr


def test_only_ed25519_signs(place: Path) -> None:
    drafted(place)
    (place / "other").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    refused = run(place, "sign", "@review.json", "--key", "@other", "--output", "@approvals/review.dsse.json")

    assert refused.exit_code == 2
    assert "is no Ed25519 key" in refused.stderr


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: path.write_bytes(path.read_bytes().replace(b"ew", b"fw", 1)), 1),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), 1),
        (lambda path: path.rename(path.with_name("review.txt")), 2),
        (lambda path: path.unlink(), 2),
    ],
    ids=["altered", "cut off", "stray", "nothing"],
)
def test_verify_never_calls_a_broken_directory_good(place: Path, spoil: object, code: int) -> None:
    drafted(place)
    run(place, "sign", "@review.json", "--key", "@key", "--output", "@approvals/review.dsse.json")
    assert callable(spoil)
    spoil(place / "approvals/review.dsse.json")

    assert run(place, "verify", "@approvals", "--approvers", "@approvers.toml").exit_code == code


@needs_openssh
def test_what_openssh_signs_is_read(place: Path) -> None:
    """`ssh-keygen -Y sign` in our namespace counts, in Git's it does not."""
    statement = drafted(place)
    for namespace, kind in (("attestation@release-gates", Attestation), ("git", None)):
        target = place / "approvals" / "review.json"
        target.write_bytes(statement.read_bytes())
        target.with_name("review.json.sig").unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-f", str(place / "key"), "-n", namespace, str(target)], check=True
        )
        opened = open_document(
            read_documents(place / "approvals")[0], read_approvers((place / "approvers.toml").read_bytes())
        )

        assert isinstance(opened, Attestation) is (kind is Attestation), opened
    assert reviewed(place) is Verdict.FAIL


@needs_terraform
def test_a_plan_that_terraform_wrote_is_read(place: Path) -> None:
    """`terraform_data` needs no provider from outside."""
    (place / "main.tf").write_text('resource "terraform_data" "one" {\n  input = "a"\n}\n')
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for words in (("init", "-input=false"), ("plan", "-input=false", "-out=real.tfplan")):
        subprocess.run(["terraform", *words], cwd=place, env=environment, check=True, capture_output=True)
    shown = subprocess.run(
        ["terraform", "show", "-json", "real.tfplan"], cwd=place, env=environment, check=True, capture_output=True
    )
    saved = read_saved_plan((place / "real.tfplan").read_bytes())
    read = read_shown_plan(shown.stdout)

    assert (saved.state.lineage, saved.state.serial) == ("", 0)
    assert [(one.address, one.actions, one.loses) for one in read.changes] == [("terraform_data.one", ("create",), "")]
    assert read.whole


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda place: (place / "x.json.sig").write_bytes(b""), "x.json.sig belongs to no attestation"),
        (lambda place: (place / "notes.txt").write_bytes(b""), "notes.txt belongs to no attestation"),
        (lambda place: (place / "x.json").mkdir(), "x.json is no regular file"),
        (lambda place: (place / "x.json").symlink_to(place / "y.json"), "x.json is no regular file"),
        (lambda place: (place / "x.json").write_bytes(b" " * 200_000), "x.json is larger than"),
        (
            lambda place: [(place / f"{i}.json").write_bytes(b"") for i in range(FILES_MAX + 1)],
            f"{FILES_MAX + 1} files, more than {FILES_MAX}",
        ),
    ],
    ids=["signature alone", "stray", "directory", "link", "large", "many"],
)
def test_what_lies_about_is_refused(tmp_path: Path, spoil: object, says: str) -> None:
    """Left out, it could be the damaged word of somebody who refused."""
    assert callable(spoil)
    spoil(tmp_path)

    with pytest.raises(Unparsable, match=says):
        read_documents(tmp_path)


def test_where_nothing_was_ever_laid_there_is_nothing(tmp_path: Path) -> None:
    assert read_documents(tmp_path / "nowhere") == ()


def test_the_module_is_a_command() -> None:
    """As the documents say it."""
    told = subprocess.run(
        [sys.executable, "-m", "probes.attestation", "--help"], capture_output=True, text=True, check=True
    )

    assert all(word in told.stdout for word in ("draft", "sign", "verify"))


def test_a_draft_names_one_subject(place: Path) -> None:
    both = run(
        place,
        *("draft", "--control", "PRE-16", "--plan", "@tfplan", "--shown", "@tfplan.json", "--commit", "a" * 40),
        *("--approver", ADA, "--role", "infrastructure", "--explanation", "read it"),
    )
    commit = run(
        place,
        *("draft", "--control", "DOC-01", "--commit", "a" * 40, "--approver", ADA, "--role", "release"),
        *("--explanation", "read it"),
    )

    assert both.exit_code == 2
    assert json.loads(commit.stdout)["subject"] == {"kind": "commit", "digest": "a" * 40}
