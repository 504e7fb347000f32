"""Records and plans survive JSON, and damaged ones are told as such."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from rollout import codec
from rollout.errors import SourceError
from rollout.model import DnsChange, Plan, Stage
from rollout.record import Record, State

PLAN = Plan(
    stages=(Stage(share_percent=5, bake_seconds=900), Stage(share_percent=100, bake_seconds=0)),
    dns=DnsChange(name="a.example", record_type="CNAME", ttl_seconds=60, values={"blue": "b.example"}),
)
RECORD = Record(
    schema=codec.RECORD_SCHEMA,
    rollout_id="r",
    environment="e",
    rule_arn="arn",
    plan_sha256="",
    stable="green",
    candidate="blue",
    image="i",
    version_name="v",
    state=State.BAKING,
    created_at=1.0,
)


def test_a_plan_comes_back() -> None:
    assert codec.plan_from_document(json.loads(codec.canonical_json(codec.plan_document(PLAN)))) == PLAN


def test_equal_plans_have_equal_hashes() -> None:
    """900 and 900.0 are one plan; one second more is another."""
    same = replace(PLAN, stages=(replace(PLAN.stages[0], bake_seconds=900.0), PLAN.stages[1]))
    other = replace(PLAN, stability_seconds=PLAN.stability_seconds + 1)

    assert codec.plan_sha256(same) == codec.plan_sha256(PLAN) != codec.plan_sha256(other)


def test_a_record_of_an_older_writer_is_read() -> None:
    """Fields that it did not know have their defaults; fields that we do not know any more are passed over."""
    document = json.loads(codec.encode_record(RECORD))
    del document["drill"]
    document["retired_field"] = 1

    assert codec.decode_record(json.dumps(document)) == RECORD


@pytest.mark.parametrize("schema", [2, None, "1"], ids=["newer", "none", "text"])
def test_a_record_of_a_newer_writer_is_refused_with_a_remedy(schema: object) -> None:
    document = {**json.loads(codec.encode_record(RECORD)), "schema": schema}

    with pytest.raises(SourceError, match="schema") as caught:
        codec.decode_record(json.dumps(document))

    assert "Upgrade" in caught.value.hint


def test_the_place_of_damage_is_named() -> None:
    document = {**codec.plan_document(PLAN), "stages": [{"share_percent": "many", "bake_seconds": 1}]}

    with pytest.raises(SourceError, match=r"stages\.0\.share_percent"):
        codec.plan_from_document(document)


def test_importing_is_cheap() -> None:
    """Neither AWS's nor pydantic's libraries are loaded before something needs them."""
    adapters = "clients, clock, cloudwatch, dynamodb, ecs, elbv2, endpoint, heartbeat, route53, sns, target_health"
    heavy = {"boto3", "botocore", "pydantic", "httpx", "dns"}
    program = (
        f"import sys, rollout.codec, rollout.journal\nfrom rollout.adapters import {adapters}\n"
        f"print(sorted({{name.split('.')[0] for name in sys.modules}} & {heavy}))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"
