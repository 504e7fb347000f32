"""A rule held against every resource of a kind, so that evidence says "7 of 7 databases" and names all seven.

A service's module reads one `View`; its checks are pure functions of one resource and what the environment declares.
What was not read, not said or not understood is SOURCE_ERROR or NO_DATA for that resource and therefore for the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from probes.account.asking import Unread
from probes.account.declared import Declared
from probes.question import Question
from rollout.model import Basis, Observation, Verdict

# How Python says that an answer has another shape than AWS documents.
NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError)
_NAMED_MAX = 8  # resources that a message names; the value names all of them


class NotRead(Exception):
    """A judgement needs a fact that the account did not let us read; the text is the cause."""


class Unknown(Exception):
    """A judgement needs a fact that AWS did not give; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource: its name, and what AWS said about it. A fact that could not be read is an `Unread`."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, fact: str) -> Any:
        """A fact that AWS always gives. Raises NotRead or Unknown."""
        if fact not in self.facts:
            raise Unknown(f"AWS did not say {fact}")
        return self.get(fact)

    def get(self, fact: str, default: Any = None) -> Any:
        """A fact that AWS leaves out when it does not apply. Raises NotRead."""
        return known(self.facts.get(fact, default))


@dataclass(frozen=True, kw_only=True)
class Population:
    """All resources of a kind (in the singular), and the call that listed them."""

    kind: str
    source: str
    members: tuple[Resource, ...] | Unread


Members = tuple[Resource, ...] | Unread


def known(value: Any) -> Any:
    """The value, unless it could not be read. Raises NotRead."""
    if isinstance(value, Unread):
        raise NotRead(value.cause)
    return value


def plural(kind: str) -> str:
    """Of a kind: `repositories`, `keys`, `databases`."""
    return f"{kind[:-1]}ies" if kind.endswith("y") and kind[-2] not in "aeiou" else f"{kind}s"


def counted(number: int, kind: str) -> str:
    """`1 repository`, `2 repositories`."""
    return f"{number} {kind if number == 1 else plural(kind)}"


def population(kind: str, source: str, read: Callable[[], Members]) -> Population:
    """What `read` finds; what it could not read or understand makes the whole population unread, never empty."""
    try:
        members = read()
    except NotRead as error:
        members = Unread(str(error))
    except (*NOT_UNDERSTOOD, StopIteration) as error:
        members = Unread(f"not understood, {type(error).__name__}: {error}")
    return Population(kind=kind, source=source, members=members)


@dataclass(frozen=True, kw_only=True)
class View:
    """What one service looked like at one moment. `sandbox`: the account is an emulated one."""

    declared: Declared
    populations: Mapping[str, Population]
    sandbox: bool = False


@dataclass(frozen=True)
class Seen:
    """What a judgement saw of one resource; `wrong` says what is wrong with it, empty where the rule holds."""

    value: object
    wrong: str = ""


Judgement = Callable[[Resource, Declared], Seen]
Limit = Callable[[Declared], object]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule over one kind of resource; called with a view it answers one observation and never raises."""

    name: str
    kind: str
    rule: str
    judge: Judgement
    limit: Limit | None = None
    imitated: bool = False

    def __call__(self, view: View) -> Observation:
        """FAIL beats SOURCE_ERROR beats NO_DATA beats PASS; no resource at all is NO_DATA unless declared so."""
        population = view.populations[self.kind]
        question = self._question(view, population.source)
        if isinstance(population.members, Unread):
            return question.source_error(f"the {plural(self.kind)} could not be listed: {population.members.cause}")
        if not population.members:
            return self._empty(question, view.declared)
        return self._told(question, [(one, *self._look(one, view.declared)) for one in population.members])

    def _question(self, view: View, source: str) -> Question:
        basis = Basis.EMULATED if self.imitated and view.sandbox else Basis.LIVE
        limit = self.limit(view.declared) if self.limit else None
        return Question(name=self.name, rule=self.rule, source=source, limit=limit, basis=basis)

    def _empty(self, question: Question, declared: Declared) -> Observation:
        reason = declared.not_applicable.get(self.kind)
        if reason:
            message = f"no {self.kind} exists, as declared: {reason}"
            return question.answer(Verdict.NOT_APPLICABLE, (), message=message, n=0)
        return question.answer(Verdict.NO_DATA, (), message=f"no {self.kind} exists, and nobody declared why", n=0)

    def _look(self, one: Resource, declared: Declared) -> tuple[Verdict, Seen]:
        try:
            seen = self.judge(one, declared)
        except NotRead as error:
            return Verdict.SOURCE_ERROR, Seen(None, str(error))
        except Unknown as error:
            return Verdict.NO_DATA, Seen(None, str(error))
        except NOT_UNDERSTOOD as error:
            # AWS answered in a shape that the judgement does not know: no evidence, and it says so.
            return Verdict.SOURCE_ERROR, Seen(None, f"not understood, {type(error).__name__}: {error}")
        return (Verdict.FAIL if seen.wrong else Verdict.PASS), seen

    def _told(self, question: Question, looked: Sequence[tuple[Resource, Verdict, Seen]]) -> Observation:
        verdicts = {verdict for _, verdict, _ in looked}
        order = (Verdict.FAIL, Verdict.SOURCE_ERROR, Verdict.NO_DATA, Verdict.PASS)
        verdict = next(one for one in order if one in verdicts)
        rows = tuple({"resource": one.name, "verdict": v.value, "value": seen.value} for one, v, seen in looked)
        good = sum(v is Verdict.PASS for _, v, _ in looked)
        message = f"{good} of {counted(len(looked), self.kind)}: {self.rule}"
        worst_first = sorted(
            ((v, one, seen) for one, v, seen in looked if seen.wrong), key=lambda row: order.index(row[0])
        )
        named = [f"{one.name}: {seen.wrong}" for _, one, seen in worst_first[:_NAMED_MAX]]
        if len(worst_first) > _NAMED_MAX:
            named.append(f"and {len(worst_first) - _NAMED_MAX} more")
        return question.answer(verdict, rows, message="; ".join([message, *named]), n=len(looked))


def check(kind: str, *, rule: str, limit: Limit | None = None, imitated: bool = False) -> Callable[[Judgement], Check]:
    """Make a judgement of one resource into a check named after its module and function (`database.encrypted`).

    `imitated`: the sandbox imitates what is looked at, so that there the basis is emulated (contracts.md 1).
    """

    def made(judge: Judgement) -> Check:
        module = judge.__module__.rsplit(".", 1)[-1]
        name = f"{module}.{judge.__name__}"
        return Check(name=name, kind=kind, rule=rule, judge=judge, limit=limit, imitated=imitated)

    return made


def equals(one: Resource, fact: str, wanted: object) -> Seen:
    """The fact is exactly as wanted. Raises NotRead or Unknown."""
    value = one[fact]
    return Seen(value, "" if value == wanted else f"{fact} is {value!r}")


def listed(kind: str, source: str, rows: Sequence[Any] | Unread, *, name: Callable[[Any], str]) -> Population:
    """A population whose facts are the rows of a list as AWS gave them."""
    if isinstance(rows, Unread):
        return Population(kind=kind, source=source, members=rows)
    members = tuple(Resource(name=name(row), facts=row) for row in rows)
    return Population(kind=kind, source=source, members=members)


def view_of(declared: Declared, *populations: Population, sandbox: bool = False) -> View:
    """A view of these populations by their kinds."""
    return View(declared=declared, populations={one.kind: one for one in populations}, sandbox=sandbox)
