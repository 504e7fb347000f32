"""`rollout plan`: everything that a rollout would do, before anything moves. Read-only."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from rollout import trip
from rollout.cli.account import Account, as_document, changes, live, read_account
from rollout.cli.application import Application, Options, World, command
from rollout.cli.exits import Exit
from rollout.cli.run import chosen
from rollout.cli.words import many
from rollout.forecast import Forecast, forecast, seconds_to_full
from rollout.model import MINUTE_SECONDS, Gates, Plan
from rollout.plan_file import Finding, Severity, lint
from rollout.settings import Environment, ReleaseFile


@click.command("plan")
@click.option("--image", default="", metavar="DIGEST", help="Image to release, by digest.")
@click.option("--version", default="", metavar="NAME", help="Version to release, as the outputs list it.")
@click.option("--requests-per-second", type=click.FloatRange(min=0.0), help="Instead of the expected rate of the file.")
@click.option("--offline", is_flag=True, help="Check the file only; ask nothing of the account.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@command
def plan(
    application: Application,
    options: Options,
    *,
    image: str,
    version: str,
    requests_per_second: float | None,
    offline: bool,
    as_json: bool,
) -> int:
    """Show what a rollout would do, what can be decided, and what would change. Changes nothing.

    Ends with 2 when the plan cannot start.
    """
    file, environment = application.file(options)
    findings = lint(file.plan, session_stickiness_seconds=environment.session_stickiness_seconds)
    rate = file.plan.expected_requests_per_second if requests_per_second is None else requests_per_second
    expected = forecast(file.plan, rate)
    if not as_json:
        _say(in_words(file, environment, expected))
    document = {**as_plan(file, environment, expected), "findings": [asdict(finding) for finding in findings]}
    if not offline:
        world = application.world(options)
        name, digest = chosen(world, image=image, version=version)
        account = read_account(world)
        document["account"] = {"version": name, **as_document(world, account, digest)}
        if not as_json:
            _say(account_in_words(world, account, version=name, image=digest))
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _say(verdict_in_words(file.plan, findings))
    return Exit.BAD_INPUT if any(finding.severity is Severity.ERROR for finding in findings) else Exit.DONE


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)


def in_words(file: ReleaseFile, environment: Environment, expected: Forecast) -> list[str]:
    """Stages, times, limits and the forecast."""
    release = file.release
    return [
        f"Plan for {release.service} {release.version} in {environment.name} ({file.path})",
        "",
        "Stages",
        *_stages(file.plan),
        "",
        "Gates, read at the end of each bake (strict)",
        *(f"  {line}" for line in gate_rules(file.plan.gates)),
        "",
        f"Triggers, armed from the first shift on; a shared incident means: {file.plan.shared_incident}",
        *(f"  {line}" for line in trigger_rules(file.plan)),
        "",
        f"At {expected.requests_per_second:g} requests/s",
        *(f"  {sentence}" for sentence in expected.sentences),
    ]


def _minutes(seconds: float) -> str:
    return f"{seconds / MINUTE_SECONDS:g} min"


def _stages(plan: Plan) -> list[str]:
    before = plan.stages[:-1]
    lines = [
        f"  {number}. {stage.share_percent:>3} %  bake {_minutes(stage.bake_seconds)}, "
        f"at most {_minutes(MINUTE_SECONDS + stage.bake_seconds + plan.settle_seconds)} at this share"
        for number, stage in enumerate(before, 1)
    ]
    bakes = sum(stage.bake_seconds for stage in before)
    total = (
        f"alignment {_minutes(MINUTE_SECONDS * len(before))} + bakes {_minutes(bakes)} "
        f"+ settle {_minutes(plan.settle_seconds * len(before))} = {_minutes(seconds_to_full(plan))}"
    )
    last = f"  {len(plan.stages)}. 100 %  watched for {_minutes(plan.stability_seconds)}, the old side still warm"
    return [*lines, last, f"  To 100 %: {total} at worst; the limit is under {_minutes(plan.deployment_seconds_max)}"]


def gate_rules(gates: Gates) -> list[str]:
    """Each gate's rule in words."""
    return [
        f"error rate < {gates.error_rate_percent_max:g} %, {gates.requests_min} requests at least; "
        f"before 100 % proven at {100 * gates.confidence:g} % confidence",
        f"p95 < {gates.p95_milliseconds_max:g} ms, {gates.p95_samples_min} samples at least",
        f"CPU < {gates.cpu_percent_max:g} %, now and projected to the next share",
        f"memory < {gates.memory_percent_max:g} %, now and projected to the end",
        f"load balancer's own errors < {gates.balancer_error_rate_percent_max:g} % above their level before",
    ]


def trigger_rules(plan: Plan) -> list[str]:
    """Each trigger's rule in words."""
    return [
        f"{wire.name} {wire.rule} {wire.limit:g} {wire.unit} for {many(wire.minutes, 'minute')} in a row: roll back"
        for wire in trip.tripwires(plan.triggers)
    ]


def account_in_words(world: World, account: Account, *, version: str, image: str) -> list[str]:
    """What is live and what would change."""
    head = f"Live in {world.environment.name}: {live(account)}"
    lines = ["", head, f"To release: {version}", *(f"  {line}" for line in changes(world, account, image))]
    if account.active is not None:
        active = f"{account.active.rollout_id} is active in state {account.active.state}"
        lines.append(f"  {active}: `rollout run` attaches to it if it is the same release, and is refused otherwise")
    return lines


def verdict_in_words(plan: Plan, findings: tuple[Finding, ...]) -> list[str]:
    """Findings, then the plan in one line."""
    found = ["", "Findings", *(f"  {finding}" for finding in findings)] if findings else []
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    end = f"This plan cannot start: {many(errors, 'error')}." if errors else "Nothing was changed."
    records = 0 if plan.dns is None else 1
    total = (
        f"Plan: {many(len(plan.stages), 'stage')}, 1 rule, 2 services, {many(records, 'record')} to change; "
        f"the way back is one change of weights. {end}"
    )
    return [*found, "", total]


def as_plan(file: ReleaseFile, environment: Environment, expected: Forecast) -> dict[str, Any]:
    """The plan for a program; seconds, percent and milliseconds as the keys say."""
    return {
        "service": file.release.service,
        "version": file.release.version,
        "environment": environment.name,
        "plan": asdict(file.plan),
        "seconds_to_full": seconds_to_full(file.plan),
        "forecast": asdict(expected),
    }
