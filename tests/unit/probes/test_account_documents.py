"""Policy documents and lifecycle rules: pure functions, by truth tables and by properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.account.lifecycle_rules import expired
from probes.account.policy_documents import (
    allows,
    document,
    is_narrowed,
    opens_to_everybody,
    principals,
    statements,
    too_wide,
)


def policy(*given: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(given)}


ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    "form", [lambda d: d, json.dumps, lambda d: quote(json.dumps(d))], ids=["mapping", "json", "encoded"]
)
def test_a_document_in_every_form(form: Any) -> None:
    assert document(form(policy(ALLOW))) == policy(ALLOW)


@pytest.mark.parametrize("wrong", ["[]", "nonsense", None, 3])
def test_a_document_that_is_none(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        document(wrong)


def test_a_document_without_statements_is_not_empty() -> None:
    with pytest.raises(KeyError):
        statements({"Version": "2012-10-17"})
    assert statements({"Statement": ALLOW}) == (ALLOW,)


@pytest.mark.parametrize(
    ("statement", "wide"),
    [
        ({"Action": "*", "Resource": "*"}, ("*",)),
        ({"Action": ["s3:*", "s3:GetObject"], "Resource": ["*"]}, ("s3:*",)),
        ({"Action": "*:*", "Resource": "*"}, ("*:*",)),
        ({"NotAction": "iam:*", "Resource": "*"}, ("every action but some",)),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::a"}, ("s3:*",)),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::a/*"}, ()),
        ({"Action": "s3:Get*", "Resource": "*"}, ()),
        ({"Action": "*", "Resource": "*", "Effect": "Deny"}, ()),
        ({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, ("*",)),
    ],
)
def test_too_wide(statement: dict[str, Any], wide: tuple[str, ...]) -> None:
    assert too_wide(policy({"Effect": "Allow", **statement})) == wide


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"Principal": "*"}, ("statement 1",)),
        ({"Principal": {"AWS": "*"}, "Sid": "Open"}, ("Open",)),
        ({"Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}, ("statement 1",)),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::1:root"}}, ("statement 1",)),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, ()),
        ({"Principal": "*", "Effect": "Deny"}, ()),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, ()),
        ({"Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "1"}}}, ()),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, ("statement 1",)),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, ("statement 1",)),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, ("statement 1",)),
    ],
    ids=[
        *("star", "aws-star", "star-of-many", "not-principal", "one", "deny", "organisation", "account", "any-arn"),
        *("everybody-else", "tls-only"),
    ],
)
def test_open_to_everybody(more: dict[str, Any], found: tuple[str, ...]) -> None:
    assert opens_to_everybody(policy({**ALLOW, **more})) == found


def test_principals() -> None:
    assert principals({"Principal": {"AWS": ["a", "b"], "Service": "c"}}) == ("a", "b", "c")
    assert principals({}) == ()
    assert not is_narrowed({"Condition": {"StringEquals": {"aws:PrincipalOrgID": []}}})


@pytest.mark.parametrize(
    ("actions", "action", "allowed"),
    [
        ("ecr:*", "ecr:BatchGetImage", True),
        ("ECR:batchget*", "ecr:BatchGetImage", True),
        (["ecr:PutImage", "*"], "ecr:BatchGetImage", True),
        ("ecr:PutImage", "ecr:BatchGetImage", False),
        ("ecr:BatchGetImag?", "ecr:BatchGetImage", True),
    ],
)
def test_what_a_document_allows(actions: Any, action: str, allowed: bool) -> None:
    assert allows(policy({"Effect": "Allow", "Action": actions}), action) is allowed
    assert not allows(policy({"Effect": "Deny", "Action": actions}), action)


# ------------------------------------------------------------------------------------------------ lifecycle rules

NOW = 1_800_000_000.0
DAY = 86_400.0


def image(name: str, age_days: float, *tags: str) -> dict[str, Any]:
    pushed = datetime.fromtimestamp(NOW - age_days * DAY, UTC)
    return {"imageDigest": name, "imagePushedAt": pushed, **({"imageTags": list(tags)} if tags else {})}


IMAGES = [image("new", 1, "v3"), image("mid", 10, "v2"), image("old", 100, "v1"), image("loose", 20)]


def rules(*selections: Mapping[str, Any]) -> str:
    return json.dumps(
        {
            "rules": [
                {"rulePriority": number, "selection": dict(one), "action": {"type": "expire"}}
                for number, one in enumerate(selections, 1)
            ]
        }
    )


def count(number: int, status: str = "any", **more: Any) -> dict[str, Any]:
    return {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": number, **more}


def older(days: int, status: str = "any", **more: Any) -> dict[str, Any]:
    return {"tagStatus": status, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days, **more}


@pytest.mark.parametrize(
    ("selections", "gone"),
    [
        ([count(2)], {"loose", "old"}),
        ([count(4)], set()),
        ([older(10)], {"loose", "old"}),
        ([older(9)], {"mid", "loose", "old"}),
        ([older(5, "untagged")], {"loose"}),
        ([count(1, "tagged", tagPrefixList=["v"])], {"mid", "old"}),
        ([count(1, "tagged", tagPatternList=["v[12]"])], {"old"}),
        ([count(1, "tagged", tagPrefixList=["x"])], set()),
        ([count(9, "tagged", tagPrefixList=["v"]), older(1)], {"loose"}),
        ([count(1, "tagged", tagPrefixList=["v1"]), older(5)], {"mid", "loose"}),
    ],
    ids=[
        *("newest-two", "enough", "older", "at-the-day", "untagged", "prefix", "pattern", "no-match"),
        *("first-rule-keeps", "first-rule-takes-one-out"),
    ],
)
def test_what_a_policy_expires(selections: list[Mapping[str, Any]], gone: set[str]) -> None:
    assert expired(rules(*selections), IMAGES, now=NOW) == gone


@pytest.mark.parametrize(
    "selection",
    [
        {"tagStatus": "magic", "countType": "imageCountMoreThan", "countNumber": 1},
        {"tagStatus": "any", "countType": "magic", "countNumber": 1},
        {"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 1},
    ],
)
def test_a_rule_that_is_not_understood_is_not_guessed(selection: Mapping[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        expired(rules(selection), IMAGES, now=NOW)


def test_an_action_that_is_not_understood() -> None:
    text = json.loads(rules(count(1)))
    text["rules"][0]["action"]["type"] = "archive"

    with pytest.raises(ValueError, match="archive"):
        expired(json.dumps(text), IMAGES, now=NOW)


@given(
    st.lists(st.floats(min_value=0, max_value=400), max_size=20),
    st.integers(min_value=0, max_value=25),
)
def test_the_newest_survive_a_count(ages: list[float], kept: int) -> None:
    images = [image(f"i{number}", age) for number, age in enumerate(ages)]
    gone = expired(rules(count(kept)), images, now=NOW)

    assert len(gone) == max(0, len(images) - kept)
    survivors = [one["imagePushedAt"] for one in images if one["imageDigest"] not in gone]
    expelled = [one["imagePushedAt"] for one in images if one["imageDigest"] in gone]
    assert not survivors or not expelled or min(survivors) >= max(expelled)
