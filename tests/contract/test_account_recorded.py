"""A sandbox's account is what infrastructure/ declares, as the checks of probes/account see it; without Terraform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from cloud_world import ADDRESS, DIGESTS, CloudWorld, ManualClock, RecordingRunner, make_certificate, wait_until

from infrastructure.declaration import declaration
from probes.account.census import all_checks, census, inventory, judged, views
from probes.account.population import View
from probes.account.session import Account
from rollout.model import Verdict
from sandbox.account import AccountSpec, account_of, adopt
from sandbox.account_names import REGION
from sandbox.cloud.plane import CloudPlane
from sandbox.recorded.kept import recorded
from sandbox.recorded.replay import replay

NO_GATEWAY = "the direct topology has no API gateway"
# Every check that is not PASS on the adopted account of a sandbox at rest, with the reason.
EXPECTED: Mapping[str, tuple[Verdict, str]] = {
    "gateway.access_logs": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.authorised": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.default_endpoint_off": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.outlasts_service": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.private_integration": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.throttled": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
    "gateway.tls_policy": (Verdict.NOT_APPLICABLE, NO_GATEWAY),
}
# What a replay that nobody adopted is filled with.
VALUES = {
    "test_header_value": "nobody's",
    "service_image_digest": DIGESTS["1.0.0"].removeprefix("sha256:"),
    "engine_image_digest": "0" * 64,
}


def _world(memory: bytes | None = None) -> CloudWorld:
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS, memory=memory)
    return CloudWorld(plane=plane, clock=clock, runner=runner, url="")


def _seen(world: CloudWorld) -> Mapping[str, View]:
    account = Account(region=REGION, endpoint_url=world.url, wall=world.clock.now)
    outputs = {name: one["value"] for name, one in world.outputs.items()}
    return views(account, declaration("production", outputs))


@pytest.fixture(scope="module")
def replayed() -> Mapping[str, View]:
    """What the checks look at in an account that was replayed here and now."""
    world = _world()
    try:
        replay(recorded(), world.plane.application, VALUES)
        world.plane.settle()
        world.url, world.outputs = world.plane.start(), recorded().outputs_with(VALUES)
        return _seen(world)
    finally:
        world.plane.stop()


@pytest.fixture(scope="module")
def adopted(replayed: Mapping[str, View]) -> Iterator[CloudWorld]:
    """A sandbox's account, as it is at the start. (After the replay: there is one control plane at a time.)"""
    world = _world(account_of(DIGESTS, live_version="1.0.0"))
    for version, digest in DIGESTS.items():
        world.plane.register_image(digest, version)
    certificate, key = make_certificate("api.shop.example")
    spec = AccountSpec(
        images=DIGESTS, certificate=certificate, certificate_key=key, topic_subscriber_url=f"http://{ADDRESS}:9/"
    )
    world.url = world.plane.start()
    world.outputs = adopt(world.plane, world.url, spec=spec)
    world.wait_steady("green", spec.live_tasks)
    world.clock.advance(90)  # a minute in which RDS has told the replica's lag has closed
    cloudwatch = world.client("cloudwatch")
    lag = {"Namespace": "AWS/RDS", "MetricName": "ReplicaLag"}
    wait_until(lambda: cloudwatch.list_metrics(**lag)["Metrics"], "the replica's lag")
    yield world
    world.plane.stop()


def test_the_account_is_what_was_declared(adopted: CloudWorld) -> None:
    """PRE-01's look: every kind exists, or the topology says why it does not."""
    found = {one.name: one.verdict for one in census(_seen(adopted))}

    assert set(found.values()) == {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert {name for name, verdict in found.items() if verdict is Verdict.NOT_APPLICABLE} == {
        "census.gateway",
        "census.gateway domain",
        "census.gateway stage",
        "census.integration",
        "census.route",
    }


def test_every_check_answers_as_is_expected_of_it(adopted: CloudWorld) -> None:
    """All of them, and each that does not pass stands in the table above."""
    found = {one.name: one for one in judged(_seen(adopted))}
    others = {name: one for name, one in found.items() if one.verdict is not Verdict.PASS}

    assert set(found) == set(all_checks())
    assert {name: one.verdict for name, one in others.items()} == {
        name: verdict for name, (verdict, _) in EXPECTED.items()
    }, "\n".join(f"{name}: {one.message}" for name, one in others.items() if name not in EXPECTED)


def test_a_memory_is_the_replay_it_was_made_of(adopted: CloudWorld, replayed: Mapping[str, View]) -> None:
    """Written and read again, the account has the same members under the same names in every population."""
    assert inventory(_seen(adopted)) == inventory(replayed)


def test_a_replay_has_the_ids_of_the_recording(replayed: Mapping[str, View]) -> None:
    """The outputs are those of the apply; what they name exists under that name."""
    assert [one.name for one in replayed["balancer"].populations["public rule"].members] == [
        recorded().outputs["rule_arn"].rsplit("/", 1)[-1]
    ]
    assert {one.verdict for one in judged(replayed, "balancer.both_groups", "firewall.attached")} == {Verdict.PASS}
