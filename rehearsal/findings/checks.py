"""What live checks say of the account under release: one observation per check that a scenario names."""

from __future__ import annotations

from collections.abc import Callable

from probes.account.census import all_checks, service
from probes.account.declared import Declared
from probes.account.population import View
from probes.account.session import Account
from probes.question import Question
from rehearsal.findings.tables import Table, misread, named_rows
from rollout.model import Observation

Look = Callable[[str], View]


class LiveAccount:
    """The account under release: each service is looked at once, when the first check of it is asked."""

    def __init__(self, account: Account, declared: Declared) -> None:
        """`declared`: the environment in its own words, which the account is held to."""
        self.account = account
        self.declared = declared
        self._views: dict[str, View] = {}

    def view(self, name: str) -> View:
        """What a service looked like when it was first asked for. Raises KeyError for a name that is none."""
        if name not in self._views:
            self._views[name] = service(name).view(self.account, self.declared)
        return self._views[name]


def hold(look: Look, table: Table) -> tuple[Observation, ...]:
    """An observation for every row (`| live check | which says |`); a check says "<kind of resource>: <rule>".

    NO_DATA for a check that does not exist, SOURCE_ERROR where the feature gives it another sentence. Raises ValueError
    as `named_rows`.
    """
    return tuple(_held(look, name, sentence=sentence) for name, sentence in named_rows(table, "live check"))


def _held(look: Look, name: str, *, sentence: str) -> Observation:
    check = all_checks().get(name)
    if check is None:
        return Question(name=name, rule=sentence, source="account").no_data(f"no live check is called {name}")
    rule = f"{check.kind}: {check.rule}"
    if rule != sentence:
        return misread(Question(name=name, rule=rule, source="account"), sentence)
    return check(look(name.split(".", 1)[0]))
