"""`rollout plan`: everything before anything moves, and nothing is changed by looking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_world import NEW, RELEASE, REPOSITORY, Desk, outputs_text

from rollout.cli.exits import Exit
from rollout.record import State

DNS = """
[plan.dns]
name = "current.shop.example"
type = "CNAME"
ttl_seconds = 60
values = { blue = "blue.shop.example", green = "green.shop.example" }
"""
GOLDEN = """\
Plan for shop-api 1.1.0 in sandbox (FILE)

Stages
  1.   5 %  bake 15 min, at most 18 min at this share
  2.  25 %  bake 2 min, at most 5 min at this share
  3.  50 %  bake 2 min, at most 5 min at this share
  4. 100 %  watched for 30 min, the old side still warm
  To 100 %: alignment 3 min + bakes 19 min + settle 6 min = 28 min at worst; the limit is under 30 min

Gates, read at the end of each bake (strict)
  error rate < 0.1 %, 200 requests at least; before 100 % proven at 95 % confidence
  p95 < 200 ms, 200 samples at least
  CPU < 70 %, now and projected to the next share
  memory < 80 %, now and projected to the end
  load balancer's own errors < 0.1 % above their level before

Triggers, armed from the first shift on; a shared incident means: rollback
  TRIG-01 error rate > 1 % for 5 minutes in a row: roll back
  TRIG-02 p95 > 500 ms for 5 minutes in a row: roll back
  TRIG-03 CPU > 90 % for 10 minutes in a row: roll back
  TRIG-04 memory > 95 % for 5 minutes in a row: roll back
  TRIG-05 failing targets > 50 % for 3 minutes in a row: roll back

At 40 requests/s
  the 5 % bake of 15 min sees 1,800 requests; its gate needs 200: can be decided
  at 40 requests/s the 5 % stage needs 25 minutes to prove < 0.1 %
  the 25 % bake of 2 min sees 1,200 requests; its gate needs 200: can be decided
  at 40 requests/s the 25 % stage needs 5 minutes to prove < 0.1 %
  the 50 % bake of 2 min sees 2,400 requests, 6,840 since the first shift; 2,995 without a failure prove < 0.1 %: \
can be decided, 2 may fail
  at 40 requests/s the 50 % stage needs 3 minutes to prove < 0.1 %

Live in sandbox: green is live with 2 tasks; blue has 0 tasks and 0 % of the customers
To release: 1.1.0
  ~ shop-api-blue: shop-api@sha256:aaaaaaaaaaaa -> shop-api@sha256:cccccccccccc
  ~ shop-api-blue: 0 tasks -> 2
  ~ rule arn:rule
      weights green/blue: 100/0 -> 95/5 -> 75/25 -> 50/50 -> 0/100
  - shop-api-green: 2 tasks -> 0, after 30 min at 100 %; its revision is kept
  ~ current.shop.example CNAME: green.shop.example -> blue.shop.example (back: green.shop.example), TTL 60 s
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_everything_that_would_happen(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Golden; and looking changes nothing (PROC: previewing is not starting)."""
    desk.release(RELEASE + DNS)

    assert desk("plan") == Exit.DONE

    out = capsys.readouterr().out.replace(str(desk.directory / "release.toml"), "FILE")
    assert out.startswith(GOLDEN)
    assert out.splitlines()[-1] == (
        "Plan: 4 stages, 1 rule, 2 services, 1 record to change; the way back is one change of weights. "
        "Nothing was changed."
    )
    assert desk.world.calls == []
    assert desk.connection.store.records == {}


def test_for_a_program(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.release(RELEASE + DNS)

    assert desk("plan", "--json") == Exit.DONE

    document = json.loads(capsys.readouterr().out)
    account = document["account"]
    assert account["weights"][1] == {"green": 95, "blue": 5}
    assert account["image"] == f"{REPOSITORY}@{NEW}"
    assert account["dns"]["Changes"][0] == {
        "Action": "UPSERT",
        "ResourceRecordSet": {
            "Name": "current.shop.example",
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": "blue.shop.example"}],
        },
    }
    reverse = account["dns_reverse"]["Changes"][0]["ResourceRecordSet"]
    assert reverse["ResourceRecords"] == [{"Value": "green.shop.example"}]
    assert document["seconds_to_full"] == 1680
    assert document["forecast"]["stages"][0]["minutes_to_prove"] == 25
    assert {finding["severity"] for finding in document["findings"]} == {"note"}


def test_another_rate_can_be_asked_about(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk("plan", "--offline", "--requests-per-second", "100") == Exit.DONE

    assert "At 100 requests/s" in capsys.readouterr().out


def test_a_plan_with_errors_ends_with_2(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.release(RELEASE + "[plan.gates]\ncpu_percent_max = 95")

    assert desk("plan") == Exit.BAD_INPUT
    out = capsys.readouterr().out
    assert "error gate-looser-than-trigger: the CPU gate of 95 % is looser than its trigger of 90 %" in out
    assert "This plan cannot start: 1 error." in out


def test_offline_needs_no_account(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.directory / "outputs.json").unlink()

    assert desk("plan", "--offline") == Exit.DONE
    assert "Live in" not in capsys.readouterr().out


def test_an_account_that_does_not_answer(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.world.down |= {"elb", "ecs"}

    assert desk("plan") == Exit.BAD_INPUT
    out, err = capsys.readouterr()
    assert "Stages" in out
    assert err.startswith("rollout: ")
    assert " does not answer. Is it reachable?" in err


def test_an_active_rollout_is_named(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Half-way the weights no longer say who is stable; the record does."""
    desk.when(State.BAKING, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    desk("run")
    capsys.readouterr()

    assert desk("plan") == Exit.DONE
    out = capsys.readouterr().out
    assert "1800000000-blue-cccccccccccc is active in state BAKING: `rollout run` attaches to it" in out
    assert "blue has 2 tasks and 5 % of the customers" in out


def test_the_default_action_of_a_listener(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.directory / "outputs.json").write_text(outputs_text(rule_arn=None))

    assert desk("plan") == Exit.DONE
    assert "~ default action of arn:listener" in capsys.readouterr().out
