"""What the operation log keeps of a call."""

from __future__ import annotations

import pytest

from sandbox.cloud.operations import is_mutating, shorten, user_agent_extra


@pytest.mark.parametrize(
    ("agent", "extra"),
    [
        ("Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 cfg/retry-mode#standard Botocore/1.44.5 engine/7f3a", "engine/7f3a"),
        ("Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 Botocore/1.44.5", ""),
        ("aws-cli/2.0", ""),
    ],
    ids=["extra", "none", "other"],
)
def test_who_called(agent: str, extra: str) -> None:
    """Only what the caller added to boto3's user agent."""
    assert user_agent_extra(agent) == extra


def test_mutating_calls_are_told_by_name() -> None:
    """As AWS names them."""
    names = ["DescribeRules", "ListTasks", "GetMetricData", "Query", "ModifyRule", "PutItem", "TransactWriteItems"]

    assert [name for name in names if is_mutating(name)] == names[4:]


def test_short_and_without_secrets() -> None:
    """Long texts and lists are cut, secrets replaced, a request token kept."""
    long = {"Long": "a" * 999, "List": list(range(99))}
    kept = shorten({"PrivateKey": "x", "ClientSecret": "y", "ClientRequestToken": "t", **long})

    assert (kept["PrivateKey"], kept["ClientSecret"], kept["ClientRequestToken"]) == ("[redacted]", "[redacted]", "t")
    assert (len(kept["Long"]), len(kept["List"])) == (303, 20)
