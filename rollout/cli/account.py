"""What a rollout would change in the account: read-only questions, and the difference in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout.cli.application import World, load_active
from rollout.cli.words import many, percent
from rollout.model import DnsChange, Plan
from rollout.record import TERMINAL_STATES, Record
from rollout.seen import DnsReading, ListenerReading, ServiceReading


@dataclass(frozen=True, kw_only=True)
class Account:
    """What is live: roles, weights, both services, the declared record (None without one)."""

    stable: str
    candidate: str
    listener: ListenerReading
    services: Mapping[str, ServiceReading] = field(default_factory=dict)
    dns: DnsReading | None = None
    active: Record | None = None


def read_account(world: World) -> Account:
    """Ask what is live; changes nothing. Raises SourceError, or BadInput when the roles cannot be told."""
    sources, record = world.connection.ports.sources, load_active(world)
    active = record if record is not None and record.state not in TERMINAL_STATES else None
    # Under way the weights no longer tell who is stable; the record does.
    stable, candidate = sources.router.roles() if active is None else (active.stable, active.candidate)
    change = world.file.plan.dns
    return Account(
        stable=stable,
        candidate=candidate,
        listener=sources.router.read(stable=stable, candidate=candidate),
        services={slot: sources.services.read(slot) for slot in (stable, candidate)},
        dns=sources.dns.read(change) if change is not None and sources.dns is not None else None,
        active=active,
    )


def dns_batch(change: DnsChange, slot: str) -> dict[str, Any]:
    """The ChangeBatch of Route 53's ChangeResourceRecordSets that makes the record name `slot`."""
    record = {
        "Name": change.name,
        "Type": change.record_type,
        "TTL": change.ttl_seconds,
        "ResourceRecords": [{"Value": change.values[slot]}],
    }
    return {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}


def weights(plan: Plan, account: Account) -> list[dict[str, int]]:
    """The weights by slot, from now to the end."""
    shares = [0, *(stage.share_percent for stage in plan.stages)]
    return [{account.stable: 100 - share, account.candidate: share} for share in shares]


def changes(world: World, account: Account, image: str) -> list[str]:
    """What would change, a line each; ~ changes, - goes to nothing."""
    plan, target = world.file.plan, world.outputs.target
    before, after = account.services[account.candidate], account.services[account.stable]
    steps = " -> ".join(f"{row[account.stable]}/{row[account.candidate]}" for row in weights(plan, account))
    names = target.service_names
    lines = [
        f"~ {names[account.candidate]}: {short(before.image)} -> {short(image)}",
        f"~ {names[account.candidate]}: {many(before.desired, 'task')} -> {max(plan.desired_tasks, before.desired)}",
        f"~ {'rule ' + target.rule_arn if target.rule_arn else 'default action of ' + target.listener_arn}",
        f"    weights {account.stable}/{account.candidate}: {steps}",
        f"- {names[account.stable]}: {many(after.desired, 'task')} -> 0, after {plan.stability_seconds / 60:g} min "
        "at 100 %; its revision is kept",
    ]
    if plan.dns is not None:
        known = account.dns.value if account.dns is not None and account.dns.value else "unknown"
        values = plan.dns.values
        lines.append(
            f"~ {plan.dns.name} {plan.dns.record_type}: {known} -> {values[account.candidate]} "
            f"(back: {values[account.stable]}), TTL {plan.dns.ttl_seconds} s"
        )
    return lines


def short(image: str) -> str:
    """An image's name and the beginning of its digest; the whole of it is in the JSON form."""
    name, at, digest = image.rpartition("@sha256:")
    return f"{name.rpartition('/')[2]}@sha256:{digest[:12]}" if at else image or "no image"


def live(account: Account) -> str:
    """Who is live, in a sentence."""
    stable, candidate = account.services[account.stable], account.services[account.candidate]
    return (
        f"{account.stable} is live with {many(stable.running, 'task')}; {account.candidate} has "
        f"{many(candidate.running, 'task')} and {percent(account.listener.candidate_share)} of the customers"
    )


def as_document(world: World, account: Account, image: str) -> dict[str, Any]:
    """The same for a program; the DNS change as the batch that would be sent, with its reverse."""
    plan = world.file.plan
    services = {
        slot: {"desired": seen.desired, "running": seen.running, "image": seen.image}
        for slot, seen in account.services.items()
    }
    return {
        "stable": account.stable,
        "candidate": account.candidate,
        "active": account.active.rollout_id if account.active is not None else None,
        "candidate_share": account.listener.candidate_share,
        "services": services,
        "image": image,
        "weights": weights(plan, account),
        "dns": None if plan.dns is None else dns_batch(plan.dns, account.candidate),
        "dns_reverse": None if plan.dns is None else dns_batch(plan.dns, account.stable),
    }
