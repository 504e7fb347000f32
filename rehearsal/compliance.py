"""pytest plugin: the catalogue of controls, held against code, account and people; and the change of the environment.

Before the release everything is asked once per run and worker. After it the account is asked again, and people's word
is read again: what was true before the release says nothing about what it left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest

from gate.facts import record_part
from gate.verdicts import NotPassed
from policies.catalogue.model import Catalogue, CatalogueError
from policies.catalogue.reader import load
from policies.report import Report
from policies.suppressions import read_suppressions
from probes.attestation.approvers import Approvers, read_approvers
from probes.attestation.documents import Document, read_documents
from probes.attestation.practice import judge_practices
from probes.change_files import APPROVERS, ChangeFiles
from probes.compliance import Evidence, Exemption
from probes.strict_json import Unparsable
from rehearsal.account import SANDBOX_STANDS_FOR
from rehearsal.findings.checks import LiveAccount
from rehearsal.findings.compliance import Sources, examine, practices_of
from rehearsal.people import CHANGE, PRACTICES, papers_of
from rehearsal.plugin import World
from rollout.model import Basis, Observation, Verdict

RECORDED = Path("infrastructure") / "recorded" / CHANGE  # of the apply that made the sandbox's account
APPROVALS = Path("approvals")  # of a real environment, one directory each: the list, practices/, change/


@dataclass(frozen=True)
class Papers:
    """What people signed for an environment, and the files of its change. In the sandbox they are an imitation."""

    place: Path
    environment: str  # of infrastructure/, which the change is one of
    imitated: bool = False

    @property
    def change(self) -> ChangeFiles:
        """The files of the change that made the environment what it is."""
        return ChangeFiles(place=self.place / CHANGE, approvers=self.place / APPROVERS)

    def review(self, infrastructure: Path, *, now: datetime) -> tuple[Observation, ...]:
        """PRE-16: the plan's approval, and whether it was made of the code of the environment that it is for."""
        code = self.change.code(infrastructure / "environments" / self.environment)
        return (*self.honest(self.change.review(now=now)), *code)

    def practices(self, catalogue: Catalogue) -> tuple[Observation, ...]:
        """`attestation.<name>` for everything that the catalogue wants vouched for.

        Raises NotPassed: NO_DATA where there is no list of approvers, SOURCE_ERROR where list or papers are unreadable.
        """
        approvers, documents = self._approvers(), self._documents()
        seen = judge_practices(
            practices_of(catalogue), documents, approvers, now=datetime.now(UTC), source=self.place.name
        )
        return self.honest(seen)

    def honest(self, seen: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """What rests on the signatures of people who do not exist is emulated."""
        return tuple(replace(one, basis=Basis.EMULATED) for one in seen) if self.imitated else seen

    def _approvers(self) -> Approvers:
        path = self.place / APPROVERS
        try:
            return read_approvers(path.read_bytes())
        except FileNotFoundError:
            raise NotPassed(Verdict.NO_DATA, f"there is no {path.name} that says who may attest anything") from None
        except (OSError, Unparsable) as error:
            raise NotPassed(Verdict.SOURCE_ERROR, f"{path.name} cannot be read: {error}") from error

    def _documents(self) -> tuple[Document, ...]:
        try:
            return read_documents(self.place / PRACTICES)
        except (OSError, Unparsable) as error:
            raise NotPassed(Verdict.SOURCE_ERROR, f"{PRACTICES} cannot be read: {error}") from error


@dataclass(frozen=True)
class Examinations:
    """The catalogue's controls, examined before the release and again after it."""

    config: pytest.Config
    catalogue: Catalogue
    report: Report
    account: LiveAccount
    papers: Papers

    @cached_property
    def before(self) -> Evidence:
        """What is found out before the release; shares its look at the account with the other scenarios."""
        return self._examined(self.account)

    @cached_property
    def after(self) -> Evidence:
        """The same with a look of its own at the account, taken when it is first asked for."""
        return self._examined(LiveAccount(self.account.account, self.account.declared))

    def _examined(self, account: LiveAccount) -> Evidence:
        started = time.monotonic()
        attested = self.papers.practices(self.catalogue)
        evidence = examine(self.catalogue, Sources(report=self.report, look=account.view, attested=attested))
        record_part(self.config, "catalogue", time.monotonic() - started)
        return evidence


@pytest.fixture(scope="session")
def control_catalogue() -> Catalogue:
    """Ends the scenario as SOURCE_ERROR with the file's own sentence where the catalogue is wrong."""
    try:
        return load()
    except CatalogueError as error:
        raise NotPassed(Verdict.SOURCE_ERROR, f"the catalogue cannot be used: {error}") from error


@pytest.fixture(scope="session")
def papers(pytestconfig: pytest.Config, world: World, control_catalogue: Catalogue) -> Papers:
    """Of the environment under release; the sandbox's people are made with it."""
    if world.sandbox is None:
        return Papers(pytestconfig.rootpath / APPROVALS / world.name, world.name)
    practices = practices_of(control_catalogue)
    place = papers_of(world.sandbox.directory, practices, pytestconfig.rootpath / RECORDED)
    return Papers(place, SANDBOX_STANDS_FOR, imitated=True)


@pytest.fixture(scope="session")
def examinations(
    pytestconfig: pytest.Config,
    control_catalogue: Catalogue,
    *,
    judged_code: Report,
    live_account: LiveAccount,
    papers: Papers,
) -> Examinations:
    return Examinations(pytestconfig, control_catalogue, judged_code, live_account, papers)


@pytest.fixture(scope="session")
def accepted_findings() -> tuple[Exemption, ...]:
    """Every entry of the file of exceptions, expired ones too. A wrong file has already stopped the policies."""
    today = datetime.now(UTC).date()
    return tuple(
        Exemption(
            policy=one.policy,
            owner=one.owner,
            approver=one.approver,
            reason=one.reason,
            ends=one.expires.isoformat(),
            expired=one.expired(today),
        )
        for one in read_suppressions(today=today)
    )
