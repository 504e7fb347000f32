"""How one rule is held against many resources; and every check of every service against resources that tell nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.account.asking import Unread
from probes.account.census import SERVICES, all_checks, census, checks, drift, inventory, judged, service
from probes.account.declared import Declared, declared_of
from probes.account.population import (
    Check,
    NotRead,
    Population,
    Resource,
    Seen,
    Unknown,
    View,
    check,
    counted,
    equals,
    known,
    population,
    view_of,
)
from rollout.model import Basis, Verdict

FACTS = {"found": True}
DECLARED = Declared(region="us-east-1", account_id="123456789012")
CHECKS = all_checks()


@check("database", rule="is good", limit=lambda declared: declared.zones_min)
def good(one: Resource, _: Declared) -> Seen:
    """Fails by a word, so that each verdict can be called for."""
    if one.get("wrong"):
        return Seen("bad", str(one["wrong"]))
    return Seen(one["value"])


def view(*members: Resource, declared: Declared = DECLARED, sandbox: bool = False) -> View:
    return view_of(declared, Population(kind="database", source="rds X", members=members), sandbox=sandbox)


def resource(kind: str, number: int) -> Resource:
    facts: dict[str, Any] = {
        "PASS": {"value": number},
        "FAIL": {"wrong": "is bad"},
        "SOURCE_ERROR": {"wrong": Unread("denied")},
        "NO_DATA": {},
    }[kind]
    return Resource(name=f"{kind}-{number}", facts=facts)


# ------------------------------------------------------------------------------------------------ one rule, many


def test_all_good_names_every_resource_and_its_value() -> None:
    found = good(view(*(resource("PASS", number) for number in range(7))))

    assert found.verdict is Verdict.PASS
    assert found.n == 7
    assert found.limit == 2
    assert found.message == "7 of 7 databases: is good [rds X]"
    assert found.value[3] == {"resource": "PASS-3", "verdict": "PASS", "value": 3}  # type: ignore[index]
    assert found.name == "test_account_population.good"


def test_one_bad_of_seven() -> None:
    found = good(view(*(resource("PASS", number) for number in range(6)), resource("FAIL", 7)))

    assert found.verdict is Verdict.FAIL
    assert found.message == "6 of 7 databases: is good; FAIL-7: is bad [rds X]"


@given(st.lists(st.sampled_from(["PASS", "FAIL", "SOURCE_ERROR", "NO_DATA"]), min_size=1, max_size=12))
def test_the_worst_resource_decides(kinds: list[str]) -> None:
    """FAIL beats SOURCE_ERROR beats NO_DATA beats PASS; PASS needs every one."""
    found = good(view(*(resource(kind, number) for number, kind in enumerate(kinds))))

    order = ["FAIL", "SOURCE_ERROR", "NO_DATA", "PASS"]
    assert found.verdict == min(kinds, key=order.index)
    assert (found.verdict is Verdict.PASS) is (set(kinds) == {"PASS"})
    assert found.message.startswith(f"{kinds.count('PASS')} of {len(kinds)} database")


def test_a_message_names_no_more_than_a_person_reads() -> None:
    found = good(view(*(resource("FAIL", number) for number in range(30))))

    assert found.message.count("is bad") == 8
    assert "and 22 more" in found.message
    assert len(found.value) == 30  # type: ignore[arg-type]


def test_none_at_all_is_no_data() -> None:
    found = good(view())

    assert (found.verdict, found.n) == (Verdict.NO_DATA, 0)
    assert "no database exists" in found.message


def test_none_at_all_as_declared() -> None:
    declared = replace(DECLARED, not_applicable={"database": "keeps nothing"})
    found = good(view(declared=declared))

    assert (found.verdict, found.n) == (Verdict.NOT_APPLICABLE, 0)
    assert "as declared: keeps nothing" in found.message


def test_a_declaration_hides_nothing_that_exists() -> None:
    declared = replace(DECLARED, not_applicable={"database": "keeps nothing"})

    assert good(view(resource("FAIL", 1), declared=declared)).verdict is Verdict.FAIL


def test_a_declaration_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="not applicable without a reason: database"):
        Declared(region="r", account_id="1", not_applicable={"database": " "})


def test_a_list_that_cannot_be_read() -> None:
    hidden = view_of(DECLARED, Population(kind="database", source="rds X", members=Unread("rds X denied")))

    assert good(hidden).verdict is Verdict.SOURCE_ERROR
    assert "rds X denied" in good(hidden).message


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError("x"), ValueError("x"), AttributeError("x"), IndexError("x")]
)
def test_an_answer_in_another_shape(error: Exception) -> None:
    def judge(_: Resource, __: Declared) -> Seen:
        raise error

    found = Check(name="x.y", kind="database", rule="r", judge=judge)(view(resource("PASS", 1)))
    assert found.verdict is Verdict.SOURCE_ERROR
    assert f"not understood, {type(error).__name__}" in found.message


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NotRead("denied"), "denied"),
        (KeyError("x"), "not understood, KeyError: 'x'"),
        (StopIteration(), "StopIteration"),
    ],
)
def test_a_population_that_cannot_be_read_is_not_empty(error: Exception, cause: str) -> None:
    def read() -> tuple[Resource, ...]:
        raise error

    found = population("database", "rds X", read).members
    assert isinstance(found, Unread)
    assert cause in found.cause


def test_facts() -> None:
    one = Resource(name="x", facts={"a": 1, "hidden": Unread("denied")})

    assert (one["a"], one.get("b", 2), known(3)) == (1, 2, 3)
    assert equals(one, "a", 1) == Seen(1)
    assert equals(one, "a", 2) == Seen(1, "a is 1")
    with pytest.raises(Unknown, match="AWS did not say b"):
        one["b"]
    with pytest.raises(NotRead, match="denied"):
        one.get("hidden")


@pytest.mark.parametrize(
    ("imitated", "sandbox", "basis"),
    [(True, True, Basis.EMULATED), (True, False, Basis.LIVE), (False, True, Basis.LIVE)],
)
def test_the_basis(imitated: bool, sandbox: bool, basis: Basis) -> None:
    assert replace(good, imitated=imitated)(view(resource("PASS", 1), sandbox=sandbox)).basis is basis


# ------------------------------------------------------------------------------------------------ every check


def _of(check: Check, members: tuple[Resource, ...] | Unread) -> View:
    return view_of(DECLARED, Population(kind=check.kind, source="X", members=members))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_no_check_passes_what_tells_nothing(name: str) -> None:
    """No facts, all facts unread, an unread list, no resource: four ways of nothing, and none is PASS or FAIL."""
    found = CHECKS[name]

    silent = found(_of(found, (Resource(name="silent"),)))
    assert silent.verdict in (Verdict.NO_DATA, Verdict.SOURCE_ERROR), silent.message
    assert found(_of(found, Unread("denied"))).verdict is Verdict.SOURCE_ERROR
    assert found(_of(found, ())).verdict is Verdict.NO_DATA


class Closed(dict[str, Any]):
    """Facts of which not one may be read."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, _: str, __: Any = None) -> Any:
        return Unread("denied")


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_no_check_passes_what_may_not_be_read(name: str) -> None:
    found = CHECKS[name](_of(CHECKS[name], (Resource(name="closed", facts=Closed()),)))

    # One check compares sets that the outputs have to give before it asks; without them it is NO_DATA.
    assert found.verdict in (Verdict.SOURCE_ERROR, Verdict.NO_DATA), found.message
    assert found.verdict is Verdict.SOURCE_ERROR or name in {
        "balancer.both_groups",
        "roles.published_minimum",
        "state.holds_state",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_checks_with_a_rule_and_a_sentence(name: str) -> None:
    assert checks(name)
    assert all(one.rule and one.judge.__doc__ for one in checks(name))


def test_the_names_of_the_checks_are_unique_and_their_services() -> None:
    assert sum(len(checks(name)) for name in SERVICES) == len(CHECKS)
    assert {name.split(".")[0] for name in CHECKS} == set(SERVICES)
    with pytest.raises(KeyError, match="nothing is no service"):
        service("nothing")


# ------------------------------------------------------------------------------------------------ census and drift


def test_the_census() -> None:
    seen = {
        "a": view_of(
            replace(DECLARED, not_applicable={"route": "no gateway"}),
            Population(
                kind="database",
                source="rds X",
                members=(Resource(name="b", facts=FACTS), Resource(name="a", facts=FACTS)),
            ),
            Population(kind="cache", source="cache X", members=()),
            Population(kind="route", source="gateway X", members=()),
            Population(kind="key", source="kms X", members=Unread("denied")),
        )
    }

    told = {one.name: (one.verdict.value, one.message) for one in census(seen)}
    assert told == {
        "census.database": ("PASS", "2 databases [rds X]"),
        "census.cache": ("NO_DATA", "no cache exists, and nobody declared why [cache X]"),
        "census.route": ("NOT_APPLICABLE", "no route, as declared: no gateway [gateway X]"),
        "census.key": ("SOURCE_ERROR", "the keys could not be listed: denied [kms X]"),
    }
    assert inventory(seen) == {"database": ["a", "b"], "cache": [], "route": [], "key": None}


@pytest.mark.parametrize(
    ("names", "wanted", "verdict", "word"),
    [
        (("a", "b"), ["b", "a"], Verdict.PASS, "2 databases, as declared"),
        (("a",), ["a", "b"], Verdict.FAIL, "gone: b"),
        (("a", "c"), ["a"], Verdict.FAIL, "not declared: c"),
        ((), ["a"], Verdict.FAIL, "gone: a"),
        ((), [], Verdict.NO_DATA, "nothing was compared"),
        (("a",), None, Verdict.NO_DATA, "not known when the inventory was taken"),
        (Unread("denied"), ["a"], Verdict.SOURCE_ERROR, "denied"),
    ],
    ids=["same", "gone", "new", "all-gone", "never-any", "unread-then", "unread-now"],
)
def test_drift(names: Any, wanted: Any, verdict: Verdict, word: str) -> None:
    members = names if isinstance(names, Unread) else tuple(Resource(name=name, facts=FACTS) for name in names)
    seen = {"x": view_of(DECLARED, Population(kind="database", source="rds X", members=members))}

    (found,) = drift(seen, {"database": wanted})
    assert found.verdict is verdict
    assert word in found.message


def test_what_is_declared_and_not_found_does_not_count() -> None:
    seen = {"x": view_of(DECLARED, Population(kind="deploy role", source="iam X", members=(Resource(name="gone"),)))}

    (found,) = census(seen)
    assert (found.verdict, found.value) == (Verdict.NO_DATA, ("gone",))
    assert "declared, but not found: gone" in found.message
    assert inventory(seen) == {"deploy role": []}


def test_drift_of_a_kind_that_nobody_looked_at() -> None:
    (found,) = drift({}, {"database": ["a"]})

    assert found.verdict is Verdict.NO_DATA


def test_judging_by_name() -> None:
    seen = {"cache": view_of(DECLARED, Population(kind="cache", source="X", members=()))}

    assert [one.name for one in judged(seen)] == [one.name for one in checks("cache")]
    assert [one.name for one in judged(seen, "cache.encrypted")] == ["cache.encrypted"]
    with pytest.raises(KeyError, match="nothing"):
        judged(seen, "cache.nothing")
    with pytest.raises(KeyError, match="database"):
        judged(seen, "database.encrypted")


# ------------------------------------------------------------------------------------------------ declared


def test_declared_of_outputs() -> None:
    outputs = {
        "region": "eu-central-1",
        "account_id": "1",
        "cluster_name": "c",
        "public_host": "h",
        "residency": ["a", "b"],
    }
    found = declared_of(outputs, topology="gateway", entrance_arn="arn")

    assert (found.cluster_name, found.residency, found.entrance) == ("c", frozenset({"a", "b"}), "arn")
    with pytest.raises(KeyError, match="account_id"):
        declared_of({"region": "r"})


@pytest.mark.parametrize(
    ("topology", "given", "entrance"),
    [("direct", "", "alb"), ("direct", "cdn", "cdn"), ("gateway", "", "alb"), ("gateway", "stage", "stage")],
)
def test_the_entrance(topology: str, given: str, entrance: str) -> None:
    found = replace(DECLARED, topology=topology, entrance_arn=given, load_balancer_arn="alb")

    assert found.entrance == entrance


def test_an_unknown_topology() -> None:
    with pytest.raises(ValueError, match="neither direct nor gateway"):
        replace(DECLARED, topology="mesh")


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (1, "repository", "1 repository"),
        (2, "repository", "2 repositories"),
        (0, "key", "0 keys"),
        (7, "database", "7 databases"),
    ],
)
def test_resources_are_counted_in_words(number: int, kind: str, said: str) -> None:
    assert counted(number, kind) == said
