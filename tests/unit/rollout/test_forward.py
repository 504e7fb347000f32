"""A forward action's weights change, and nothing else of any action."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.adapters.forward import Forward, forward_of, share_of, with_weights

STICKY = {"Enabled": True, "DurationSeconds": 300}


def forward(*groups: tuple[str, int | None], **config: Any) -> dict[str, Any]:
    rows = [{"TargetGroupArn": arn} | ({} if weight is None else {"Weight": weight}) for arn, weight in groups]
    return {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": rows, **config}}


@pytest.mark.parametrize(
    ("actions", "seen"),
    [
        ([], None),
        ([{"Type": "redirect"}], None),
        ([{"Type": "forward", "TargetGroupArn": "a"}], Forward(weights={"a": 1})),
        ([forward(("a", 5), ("b", None))], Forward(weights={"a": 5, "b": 1})),
        ([{"Type": "forward"}], Forward(weights={})),
        ([forward(("a", 1), TargetGroupStickinessConfig=STICKY)], Forward(weights={"a": 1}, stickiness_seconds=300)),
        (
            [forward(("a", 1), TargetGroupStickinessConfig={"Enabled": False, "DurationSeconds": 300})],
            Forward(weights={"a": 1}),
        ),
        ([{"Type": "authenticate-cognito"}, forward(("a", 1))], Forward(weights={"a": 1})),
    ],
    ids=["empty", "redirect", "short", "default-weight", "nobody", "sticky", "not-sticky", "behind-login"],
)
def test_every_shape_is_read(actions: list[dict[str, Any]], seen: Forward | None) -> None:
    assert forward_of(actions) == seen


@given(first=st.integers(0, 999), second=st.integers(0, 999), share=st.integers(0, 100))
def test_weights_go_in_and_all_else_stays(first: int, second: int, share: int) -> None:
    cognito = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolArn": "p"}}
    before = [cognito, forward(("a", first), ("b", second), ("c", 7), TargetGroupStickinessConfig=STICKY)]
    given_before = copy.deepcopy(before)

    after = with_weights(before, {"b": share, "a": 100 - share})

    assert before == given_before
    assert forward_of(after) == Forward(weights={"a": 100 - share, "b": share, "c": 7}, stickiness_seconds=300)
    assert after[0] == cognito
    expected = forward(("a", 100 - share), ("b", share), ("c", 7), TargetGroupStickinessConfig=STICKY)
    assert after[1] == expected


def test_a_single_group_becomes_two() -> None:
    """TargetGroupArn beside two groups is refused by ELBv2."""
    after = with_weights([{"Type": "forward", "TargetGroupArn": "a"}], {"a": 95, "b": 5})

    groups = [{"TargetGroupArn": "a", "Weight": 95}, {"TargetGroupArn": "b", "Weight": 5}]
    assert after == [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def test_the_secret_of_oidc_is_declared_unchanged() -> None:
    action = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"ClientId": "c", "ClientSecret": "s"}}

    (after,) = with_weights([action], {})

    assert after["AuthenticateOidcConfig"] == {"ClientId": "c", "UseExistingClientSecret": True}


@given(share=st.integers(0, 100), scale=st.integers(1, 9))
def test_a_whole_percentage_is_read_exactly(share: int, scale: int) -> None:
    """The engine compares it with ==."""
    assert share_of((100 - share) * scale, share * scale) == share


def test_nobody_served_is_no_share() -> None:
    assert share_of(0, 0) is None
