"""The command line for people who approve: `python -m probes.attestation draft|sign|verify`.

    python -m probes.attestation draft --control PRE-16 --plan tfplan --shown tfplan.json \\
        --approver ada@shop.example --role infrastructure --explanation "read it" > review.json
    python -m probes.attestation sign review.json --key ~/.ssh/id_ed25519 --output approvals/review.dsse.json
    python -m probes.attestation verify approvals --approvers approvers.toml

Whoever keeps the key in an agent or on a token signs the draft with OpenSSH instead, and lays both files side by side:

    ssh-keygen -Y sign -f KEY -n attestation@release-gates review.json
"""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from probes.attestation.approvers import read_approvers
from probes.attestation.documents import Attestation, open_document, read_documents
from probes.attestation.dsse import sign as signed
from probes.attestation.statement import FREQUENCIES, STATUSES, Statement, Subject, read_statement, write_statement
from probes.strict_json import Unparsable
from probes.terraform_plan import read_saved_plan, read_shown_plan

EXIT_WRONG, EXIT_UNREADABLE = 1, 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DEFAULT_HOURS = 24.0
Read = TypeVar("Read")


class Unusable(click.ClickException):
    """A file or key that cannot be used; exit code 2."""

    exit_code = EXIT_UNREADABLE


@click.group(help=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
def application() -> None:
    """Commands share nothing."""


@application.command()
@click.option("--control", required=True, help="Id of the control, for example PRE-16.")
@click.option("--approver", required=True, help="Who approves, as the list of approvers names them.")
@click.option("--role", required=True, help="The role in which it is approved.")
@click.option("--explanation", required=True, help="What was looked at, in one line.")
@click.option("--status", type=click.Choice(STATUSES), default="passed", show_default=True)
@click.option("--frequency", type=click.Choice(tuple(FREQUENCIES)), default="once", show_default=True)
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=_DEFAULT_HOURS, show_default=True)
@click.option("--commit", default="", help="The commit that is approved.")
@click.option("--practice", default="", help="Digest of what is attested, as `python -m policies.catalogue show` says.")
@click.option("--plan", type=_FILE, help="The saved Terraform plan that is approved.")
@click.option("--shown", type=_FILE, help="What `terraform show -json PLAN` printed and was read.")
@click.option("--destroys", multiple=True, help="An address whose loss is accepted; may be given again.")
def draft(**given: Any) -> None:
    """Write a statement to standard output, to be signed."""
    now = datetime.now(UTC).replace(microsecond=0)
    named = {kind: given.pop(kind) for kind in ("commit", "practice")}
    subject = _subject(
        {kind: digest for kind, digest in named.items() if digest}, given.pop("plan"), given.pop("shown")
    )
    statement = Statement(
        control_id=given.pop("control"),
        updated=now,
        updated_by=given["approver"],
        subject=subject,
        expires=now + timedelta(hours=given.pop("hours")),
        **given,
    )
    content = write_statement(statement)
    _read(read_statement, content, "the statement")
    click.echo(content, nl=False)


def _subject(named: Mapping[str, str], plan: Path | None, shown: Path | None) -> Subject:
    if len(named) == 1 and plan is None and shown is None:
        ((kind, digest),) = named.items()
        return Subject(kind=kind, digest=digest)
    if named or plan is None or shown is None:
        raise click.UsageError("Name one of --commit, --practice, or --plan and --shown.")
    saved = _read(read_saved_plan, plan.read_bytes(), str(plan))
    content = shown.read_bytes()
    for change in _read(read_shown_plan, content, str(shown)).losses:
        click.echo(f"{change.verb} the {change.loses} {change.address}", err=True)
    return Subject(kind="plan", digest=saved.sha256, shown_sha256=hashlib.sha256(content).hexdigest())


def _read(reader: Callable[[bytes], Read], content: bytes, name: str) -> Read:
    try:
        return reader(content)
    except Unparsable as error:
        raise Unusable(f"{name}: {error}") from None


@application.command()
@click.argument("statement", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="An Ed25519 private key, of OpenSSH or in PEM.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="NAME.dsse.json")
def sign(statement: Path, key: Path, output: Path) -> None:
    """Sign a statement with a key in a file; the passphrase is asked for."""
    if not output.name.endswith(".dsse.json"):
        raise click.UsageError("An envelope is called NAME.dsse.json, else it is not found.")
    content = statement.read_bytes()
    _read(read_statement, content, str(statement))
    private_key = _private_key(key)
    line = private_key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    try:
        with output.open("xb") as stream:
            stream.write(signed(content, private_key, key_hint=line.decode()))
    except FileExistsError:
        raise Unusable(f"{output} is there already; a signed statement is not overwritten") from None
    click.echo(f"{output} is signed by {line.decode()}")


def _private_key(path: Path) -> Ed25519PrivateKey:
    content = path.read_bytes()
    of_openssh = b"OPENSSH PRIVATE KEY" in content[:100]
    load = serialization.load_ssh_private_key if of_openssh else serialization.load_pem_private_key
    try:
        try:
            key = load(content, None)
        except TypeError:  # cryptography's word for a key that needs a passphrase
            key = load(content, getpass.getpass(f"Passphrase of {path}: ").encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable(f"{path}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unusable(f"{path} is no Ed25519 key; `ssh-keygen -t ed25519` makes one")
    return key


@application.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--approvers", "list_of_approvers", type=_FILE, required=True, help="The list of who may approve.")
def verify(directory: Path, list_of_approvers: Path) -> None:
    """Say what every attestation in a directory is worth: 0 when all are signed as they should be, 1 when one is not.

    Whether they suffice for a release is another question: the gate asks it, for the plan or commit at hand.
    """
    approvers = _read(read_approvers, list_of_approvers.read_bytes(), str(list_of_approvers))
    try:
        documents = read_documents(directory)
    except Unparsable as error:
        raise Unusable(f"{directory}: {error}") from None
    opened = [open_document(document, approvers) for document in documents]
    for one in opened:
        click.echo(_line(one) if isinstance(one, Attestation) else f"REFUSED {one}")
    if not opened:
        raise Unusable(f"{directory} holds no attestation")
    if not all(isinstance(one, Attestation) for one in opened):
        raise SystemExit(EXIT_WRONG)


def _line(attestation: Attestation) -> str:
    statement = attestation.statement
    says = f"{statement.control_id} {statement.status} for {statement.subject} as {statement.role}"
    return (
        f"SIGNED {attestation.name}: {attestation.signer.identity}: {says}, until {statement.ends:%Y-%m-%d %H:%M} UTC"
    )


if __name__ == "__main__":
    application(prog_name="python -m probes.attestation")
