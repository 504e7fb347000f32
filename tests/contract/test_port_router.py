"""TrafficRouter: the fake, a rule and a default action behave alike; then what only the wire can show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import pytest
from port_world import Account, assert_translates_errors, clients_of

from rollout.adapters.elbv2 import CANDIDATE_TAG, ROLLOUT_TAG, STABLE_TAG, ElbRouter
from rollout.errors import BadInput, SourceError
from rollout.ports import TrafficRouter
from tests.fakes.router import FakeRouter

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

NOBODY = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"}}]


class Rule(Protocol):
    """What the tests do to a rule behind the router's back."""

    @property
    def router(self) -> TrafficRouter: ...

    def set(self, weights: Mapping[str, int] | None, *, stickiness_seconds: int = 0) -> None: ...

    def weights(self) -> Mapping[str, int]: ...

    def forget_tags(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.router = FakeRouter()

    def set(self, weights: Mapping[str, int] | None, *, stickiness_seconds: int = 0) -> None:
        self.router.weights = None if weights is None else dict(weights)
        self.router.stickiness_seconds = stickiness_seconds

    def weights(self) -> Mapping[str, int]:
        return self.router.weights or {}

    def forget_tags(self) -> None:
        self.router.tagged = None


class OnPlane:
    """A rule, or with `default` the listener's default action."""

    def __init__(self, account: Account, *, default: bool) -> None:
        self.account = account
        self.target = dataclasses.replace(account.target, rule_arn="") if default else account.target
        self.router = ElbRouter(account.clients, self.target)

    def put(self, actions: list[dict[str, Any]]) -> None:
        elbv2 = self.account.cloud.client("elbv2")
        if self.target.rule_arn:
            elbv2.modify_rule(RuleArn=self.target.rule_arn, Actions=actions)
        else:
            elbv2.modify_listener(ListenerArn=self.target.listener_arn, DefaultActions=actions)

    def actions(self) -> list[dict[str, Any]]:
        elbv2 = self.account.cloud.client("elbv2")
        if self.target.rule_arn:
            return list(elbv2.describe_rules(RuleArns=[self.target.rule_arn])["Rules"][0]["Actions"])
        return list(elbv2.describe_listeners(ListenerArns=[self.target.listener_arn])["Listeners"][0]["DefaultActions"])

    def set(self, weights: Mapping[str, int] | None, *, stickiness_seconds: int = 0) -> None:
        if weights is None:
            self.put(NOBODY)
            return
        groups = [{"TargetGroupArn": self.account.group(name), "Weight": weight} for name, weight in weights.items()]
        sticky = {"Enabled": stickiness_seconds > 0, "DurationSeconds": stickiness_seconds or 1}
        config = {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}
        self.put([{"Type": "forward", "ForwardConfig": config}])

    def weights(self) -> Mapping[str, int]:
        names = {arn: slot for slot, arn in self.target.target_group_arns.items()}
        names |= {arn: name for name, arn in self.account.extra_groups.items()}
        groups = self.actions()[-1].get("ForwardConfig", {}).get("TargetGroups", [])
        return {names[group["TargetGroupArn"]]: group["Weight"] for group in groups}

    def forget_tags(self) -> None:
        arns = [self.target.key, *self.target.target_group_arns.values()]
        tags = [STABLE_TAG, CANDIDATE_TAG, ROLLOUT_TAG]
        for arn in arns:
            self.account.cloud.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=tags)


@pytest.fixture(params=["fake", "rule", "default-action"])
def rule(request: pytest.FixtureRequest) -> Rule:
    if request.param == "fake":
        return InMemory()
    on_plane = OnPlane(request.getfixturevalue("account"), default=request.param == "default-action")
    on_plane.set({"blue": 0, "green": 100})
    on_plane.forget_tags()
    return on_plane


@pytest.fixture
def public(account: Account) -> OnPlane:
    on_plane = OnPlane(account, default=False)
    on_plane.set({"blue": 0, "green": 100})
    return on_plane


@pytest.mark.parametrize(
    ("weights", "share"),
    [
        ({"blue": 5, "green": 95}, 5),
        ({"blue": 50, "green": 950}, 5),
        ({"green": 19, "blue": 1}, 5),
        ({"blue": 0, "green": 1}, 0),
        ({"blue": 999, "green": 0}, 100),
    ],
    ids=["5-95", "50-950", "1-19", "none", "all"],
)
def test_weights_are_read_as_a_share(rule: Rule, weights: Mapping[str, int], share: int) -> None:
    rule.set(weights)

    reading = rule.router.read(stable="green", candidate="blue")

    assert (reading.candidate_share, reading.attached, reading.error) == (share, True, None)


@pytest.mark.parametrize(("alone", "share"), [("green", 0), ("blue", 100)])
def test_a_single_group_has_everything(rule: Rule, alone: str, share: int) -> None:
    rule.set({alone: 1})

    reading = rule.router.read(stable="green", candidate="blue")

    assert (reading.candidate_share, reading.attached) == (share, False)


@pytest.mark.parametrize("share", [0, 5, 50, 100])
def test_a_share_is_set_and_read_back(rule: Rule, share: int) -> None:
    rule.set({"blue": 1, "green": 2})

    rule.router.set_share(stable="green", candidate="blue", share_percent=share)

    assert rule.weights() == {"blue": share, "green": 100 - share}
    assert rule.router.read(stable="green", candidate="blue").candidate_share == share


def test_a_missing_group_is_attached_at_its_weight(rule: Rule) -> None:
    """Its targets would stay `unused` without it."""
    rule.set({"green": 1})

    rule.router.set_share(stable="green", candidate="blue", share_percent=0)

    assert rule.weights() == {"green": 100, "blue": 0}


def test_the_same_share_in_other_numbers_is_left_alone(rule: Rule) -> None:
    """It looks before it acts; 50/950 is 5 %."""
    rule.set({"blue": 50, "green": 950})

    rule.router.set_share(stable="green", candidate="blue", share_percent=5)

    assert rule.weights() == {"blue": 50, "green": 950}


UNSAFE: dict[str, tuple[Mapping[str, int] | None, int, str]] = {
    "third-group": ({"blue": 0, "green": 90, "third": 10}, 0, "third group"),
    "no-forward": (None, 0, "no forward action"),
    "all-zero": ({"blue": 0, "green": 0}, 0, "0, nobody"),
    "sticky": ({"blue": 0, "green": 100}, 451, "stick"),
}


@pytest.mark.parametrize(("weights", "sticky", "cause"), UNSAFE.values(), ids=UNSAFE.keys())
def test_what_cannot_be_moved_safely_is_refused(
    rule: Rule, weights: Mapping[str, int] | None, sticky: int, cause: str
) -> None:
    rule.set(weights, stickiness_seconds=sticky)

    reading = rule.router.read(stable="green", candidate="blue")
    with pytest.raises(BadInput, match=cause) as share:
        rule.router.set_share(stable="green", candidate="blue", share_percent=5)
    with pytest.raises(BadInput, match=cause) as roles:
        rule.router.roles()

    assert reading.candidate_share is None
    assert cause in str(reading.error)
    assert share.value.hint
    assert roles.value.hint


@pytest.mark.parametrize("name", ["third-group", "all-zero", "sticky"])
def test_nothing_keeps_traffic_on_a_bad_candidate(rule: Rule, name: str) -> None:
    """Share 0 is written whatever else the rule says, and leaves that as it is."""
    weights, sticky, _ = UNSAFE[name]
    rule.set({**(weights or {}), "blue": 50 if sum((weights or {}).values()) else 0}, stickiness_seconds=sticky)

    rule.router.set_share(stable="green", candidate="blue", share_percent=0)

    assert rule.weights() == {**(weights or {}), "blue": 0, "green": 100}


def test_stickiness_up_to_the_limit_is_fine(rule: Rule) -> None:
    rule.set({"blue": 0, "green": 100}, stickiness_seconds=450)

    assert rule.router.read(stable="green", candidate="blue").candidate_share == 0


@pytest.mark.parametrize(
    ("weights", "roles"),
    [
        ({"blue": 0, "green": 100}, ("green", "blue")),
        ({"blue": 7, "green": 0}, ("blue", "green")),
        ({"blue": 1}, ("blue", "green")),
    ],
    ids=["green", "blue", "blue-alone"],
)
def test_roles_come_from_live_weights(rule: Rule, weights: Mapping[str, int], roles: tuple[str, str]) -> None:
    """Even if older tags say otherwise: after a finished rollout the roles have changed."""
    rule.router.remember_roles(stable=roles[1], candidate=roles[0])
    rule.set(weights)

    assert rule.router.roles() == roles


def test_split_weights_without_tags_do_not_tell(rule: Rule) -> None:
    rule.set({"blue": 50, "green": 50})

    with pytest.raises(BadInput, match="do not tell who is stable"):
        rule.router.roles()


@pytest.mark.parametrize(("stable", "candidate"), [("green", "blue"), ("blue", "green")])
def test_split_weights_are_told_by_tags(rule: Rule, stable: str, candidate: str) -> None:
    rule.router.remember_roles(stable=stable, candidate=candidate)
    rule.set({"blue": 50, "green": 50})

    assert rule.router.roles() == (stable, candidate)


# ------------------------------------------------------------------------------------------------ the wire


def test_nothing_but_weights_changes(public: OnPlane) -> None:
    """Authentication, order, stickiness, the foreign group's weight and the conditions stay as they were."""
    elbv2, arn = public.account.cloud.client("elbv2"), public.target.rule_arn
    oidc = {
        "Issuer": "https://login.example",
        "AuthorizationEndpoint": "https://login.example/a",
        "TokenEndpoint": "https://login.example/t",
        "UserInfoEndpoint": "https://login.example/u",
        "ClientId": "shop",
        "ClientSecret": "not-shown-by-aws",
        "Scope": "openid",
        "OnUnauthenticatedRequest": "authenticate",
    }
    groups = [
        {"TargetGroupArn": public.account.group(slot), "Weight": weight}
        for slot, weight in (("green", 95), ("blue", 5))
    ]
    sticky = {"Enabled": True, "DurationSeconds": 300}
    public.put(
        [
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc},
            {
                "Type": "forward",
                "Order": 2,
                "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky},
            },
        ]
    )
    before = elbv2.describe_rules(RuleArns=[arn])["Rules"][0]

    public.router.set_share(stable="green", candidate="blue", share_percent=25)

    after = elbv2.describe_rules(RuleArns=[arn])["Rules"][0]
    expected = {**before["Actions"][0]["AuthenticateOidcConfig"], "UseExistingClientSecret": True}
    expected.pop("ClientSecret", None)
    assert after["Actions"][0]["AuthenticateOidcConfig"] == expected
    before["Actions"][1]["ForwardConfig"]["TargetGroups"][0]["Weight"] = 75
    before["Actions"][1]["ForwardConfig"]["TargetGroups"][1]["Weight"] = 25
    assert after["Actions"][1] == before["Actions"][1]
    assert {**after, "Actions": 0} == {**before, "Actions": 0}


def test_a_single_group_forward_in_either_spelling(public: OnPlane) -> None:
    public.put([{"Type": "forward", "TargetGroupArn": public.account.group("green")}])

    public.router.set_share(stable="green", candidate="blue", share_percent=5)

    assert public.weights() == {"green": 95, "blue": 5}


def test_a_repeated_share_is_not_written_again(public: OnPlane) -> None:
    public.router.set_share(stable="green", candidate="blue", share_percent=5)
    since = public.account.now()

    public.router.set_share(stable="green", candidate="blue", share_percent=5)

    assert public.account.called(since) == ["DescribeRules"]


def test_tags_tell_a_person_without_our_tools(public: OnPlane) -> None:
    """On the rule the slots, on each group its own role; written once."""
    public.router.remember_roles(stable="green", candidate="blue")
    since = public.account.now()
    public.router.remember_roles(stable="green", candidate="blue")

    arns = [public.target.rule_arn, public.account.group("green"), public.account.group("blue")]
    rows = public.account.cloud.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]
    tags = {row["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in rows}
    told = [tuple(tags[arn][key] for key in (STABLE_TAG, CANDIDATE_TAG, ROLLOUT_TAG)) for arn in arns]
    assert told == [("green", "blue", "contract"), ("true", "false", "contract"), ("false", "true", "contract")]
    assert public.account.called(since) == ["DescribeTags"]


def test_groups_that_contradict_the_rule_do_not_tell(public: OnPlane) -> None:
    public.router.remember_roles(stable="green", candidate="blue")
    public.account.cloud.client("elbv2").add_tags(
        ResourceArns=[public.account.group("blue")], Tags=[{"Key": STABLE_TAG, "Value": "true"}]
    )
    public.set({"blue": 50, "green": 50})

    with pytest.raises(BadInput, match="do not tell who is stable"):
        public.router.roles()


def test_errors_of_the_service_are_ours(public: OnPlane) -> None:
    def read() -> object:
        return public.router.read(stable="green", candidate="blue")

    assert_translates_errors(public.account, "elbv2", read, "DescribeRules")


def test_an_unknown_rule_is_no_reading(account: Account) -> None:
    gone = dataclasses.replace(account.target, rule_arn=account.target.rule_arn[:-4] + "0000")

    with pytest.raises(SourceError) as caught:
        ElbRouter(account.clients, gone).read(stable="green", candidate="blue")

    assert caught.value.hint


def test_an_unknown_slot_is_named(public: OnPlane) -> None:
    with pytest.raises(BadInput, match="purple"):
        public.router.read(stable="green", candidate="purple")


def test_an_answer_about_another_rule_is_no_reading(account: Account) -> None:
    class Elsewhere:
        def describe_rules(self, **_: Any) -> dict[str, Any]:
            return {"Rules": [{"RuleArn": "arn:another", "Actions": []}]}

    clients = clients_of(account.cloud.url)
    clients.__dict__["elbv2"] = Elsewhere()

    with pytest.raises(SourceError, match="does not know this rule"):
        ElbRouter(clients, account.target).read(stable="green", candidate="blue")
