"""What a sandbox adds to the declared account, and how the copy of it that a machine keeps is trusted."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cloud_world import (
    ADDRESS,
    DIGESTS,
    CloudWorld,
    ManualClock,
    RecordingRunner,
    error_code,
    make_certificate,
    wait_until,
)

from sandbox.account import AccountSpec, account_of, adopt
from sandbox.cloud.memory import MemoryUnreadable
from sandbox.cloud.plane import CloudPlane
from sandbox.errors import SandboxError
from sandbox.recorded.kept import AGE_SECONDS_MAX, account_memory, recorded
from sandbox.recorded.replay import replay

VALUES = {"test_header_value": "nobody's", "service_image_digest": "a" * 64, "engine_image_digest": "0" * 64}
CERTIFICATE, KEY = make_certificate("api.shop.example")
SPEC = AccountSpec(
    images=DIGESTS, certificate=CERTIFICATE, certificate_key=KEY, topic_subscriber_url=f"http://{ADDRESS}:9/"
)


def _plane(memory: bytes | None = None) -> CloudPlane:
    return CloudPlane(ManualClock(), RecordingRunner(), address=ADDRESS, memory=memory)


@pytest.fixture
def blue() -> Iterator[CloudWorld]:
    """An adopted account whose live side is the one that was not live in the recording."""
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS, memory=account_of(DIGESTS, live_version="1.1.0"))
    for version, digest in DIGESTS.items():
        plane.register_image(digest, version)
    world = CloudWorld(plane=plane, clock=clock, runner=runner, url=plane.start())
    world.outputs = adopt(plane, world.url, spec=replace(SPEC, live_slot="blue", live_version="1.1.0", live_tasks=3))
    yield world
    plane.stop()


def test_the_live_side_is_the_one_that_was_asked_for(blue: CloudWorld) -> None:
    """Weights, tasks and their version, scaling, and the record that names the live side."""
    rule = blue.client("elbv2").describe_rules(RuleArns=[blue.value("rule_arn")])["Rules"][0]
    weights = {one["TargetGroupArn"]: one["Weight"] for one in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]}
    arns = blue.value("target_group_arns")
    scaling = blue.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    suspended = {
        one["ResourceId"].rsplit("-", 1)[-1]: one["SuspendedState"]["DynamicScalingOutSuspended"]
        for one in scaling["ScalableTargets"]
    }
    records = {one["Name"]: one for one in blue.plane.dns_records()}

    assert weights == {arns["blue"]: 100, arns["green"]: 0}
    assert blue.wait_steady("blue", 3)["desiredCount"] == 3
    assert blue.service("green")["desiredCount"] == 0
    assert {spec.version for spec in blue.runner.starts} == {"1.1.0"}
    assert suspended == {"blue": False, "green": True}
    assert records["current.shop.example."]["ResourceRecords"] == [{"Value": "blue.shop.example"}]


def test_only_this_sandboxs_header_opens_a_slots_own_host(blue: CloudWorld) -> None:
    rules = blue.client("elbv2").describe_rules(ListenerArn=blue.value("listener_arn"))["Rules"]
    conditions = [condition for rule in rules for condition in rule["Conditions"]]
    values = [one["HttpHeaderConfig"]["Values"] for one in conditions if one["Field"] == "http-header"]
    hosts = [value for one in conditions if one["Field"] == "host-header" for value in one["Values"]]

    assert values == [[blue.value("test_header_value")]] * 2
    assert sorted(hosts) == ["api.shop.example", "blue.shop.example", "green.shop.example"]


def test_the_declared_certificate_is_issued_by_the_sandboxs_authority(blue: CloudWorld) -> None:
    """Under the ARN that Terraform asked for, with its tags, and as what the listener serves."""
    acm, arn = blue.client("acm"), blue.value("certificate_arn")
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]

    assert (described["Type"], described["Status"]) == ("AMAZON_ISSUED", "ISSUED")
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode().strip() == CERTIFICATE.strip()
    assert {tag["Key"] for tag in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]} >= {"service"}
    assert [one.certificate_arn for one in blue.plane.listeners() if one.port == 443] == [arn]
    assert blue.plane.certificate(arn)[2] == KEY


def test_a_certificate_that_nobody_asked_for_is_not_issued(blue: CloudWorld) -> None:
    with pytest.raises(KeyError):
        blue.plane.issue_certificate("arn:aws:acm:nowhere", certificate=CERTIFICATE, chain=b"", key=KEY)


def test_controllers_have_no_task(blue: CloudWorld) -> None:
    """They run in the engine's own process; their service is declared, and at rest."""
    found = blue.client("ecs").describe_services(cluster="production-cluster", services=["release-controller"])

    assert [(one["desiredCount"], one["runningCount"]) for one in found["services"]] == [(0, 0)]


def test_a_start_is_no_end_of_a_heartbeat(blue: CloudWorld) -> None:
    """The alarm has been what it is for long: its action is for a rollout whose controllers are gone."""
    cloudwatch = blue.client("cloudwatch")

    def state(name: str) -> dict[str, Any]:
        found: dict[str, Any] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found

    wait_until(lambda: state("release-deadman-failed")["StateValue"] == "OK", "alarms to be evaluated")
    heartbeat = state("release-heartbeat")
    history = cloudwatch.describe_alarm_history(AlarmName="release-heartbeat", HistoryItemType="StateUpdate")

    assert (heartbeat["StateValue"], heartbeat["ActionsEnabled"]) == ("ALARM", True)
    assert heartbeat["StateReason"] == "no rollout is active"
    assert len(history["AlarmHistoryItems"]) == 1


def test_a_symmetric_key_has_no_public_half(blue: CloudWorld) -> None:
    key = blue.client("kms").list_keys()["Keys"][0]["KeyId"]

    refused = error_code(lambda: blue.client("kms").get_public_key(KeyId=key))

    assert refused == "UnsupportedOperationException"


# ---------------------------------------------------------------------------------------------- replay and memory


def test_a_replay_stops_at_the_first_refusal() -> None:
    """Half an account would answer questions as if it were one."""
    plane = _plane()
    first, *rest = recorded().requests
    spoilt = replace(first, headers={**first.headers, "x-amz-target": "TrentService.NoSuchOperation"})
    try:
        with pytest.raises(SandboxError, match=r"request 1, kms CreateKey: \d+ .*infrastructure.record"):
            replay(replace(recorded(), requests=(spoilt, *rest)), plane.application, VALUES)
    finally:
        plane.stop()


def test_a_replay_asks_for_every_placeholder() -> None:
    plane = _plane()
    try:
        with pytest.raises(SandboxError, match="nobody gave a value"):
            replay(recorded(), plane.application, {})
    finally:
        plane.stop()


def test_a_memory_of_other_code_is_refused_and_leaves_moto_free() -> None:
    with pytest.raises(MemoryUnreadable):
        _plane(b"no memory at all")

    _plane().stop()


def test_an_account_that_is_served_gives_no_memory() -> None:
    plane = _plane()
    plane.start()
    try:
        with pytest.raises(RuntimeError, match="before start"):
            plane.memory()
    finally:
        plane.stop()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good copy."""
    folder = tmp_path_factory.mktemp("accounts")
    account_memory(VALUES, directory=folder)
    (path,) = folder.glob("*.memory")
    return path


def _spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _open_to_others(path: Path) -> None:
    path.chmod(0o666)


def _age(path: Path) -> None:
    before = time.time() - AGE_SECONDS_MAX - 60
    os.utime(path, (before, before))


def _from_the_future(path: Path) -> None:
    os.utime(path, (time.time() + 3600, time.time() + 3600))


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _take_anothers(path: Path) -> None:
    account_memory({**VALUES, "engine_image_digest": "1" * 64}, directory=path.parent)
    other = next(one for one in path.parent.glob("*.memory") if one != path)
    other.replace(path)


def _give_away(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away (owner: the platform team)")
    os.chown(path, 65_534, -1)


@pytest.mark.parametrize(
    "change",
    [_spoil, _open_to_others, _age, _from_the_future, _link, _take_anothers, _give_away],
    ids=lambda one: one.__name__[1:],
)
def test_a_copy_is_made_anew_rather_than_trusted(kept: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Reading a memory runs what is in it: only a young file of this user's, which nobody else may write, is read."""
    path = Path(shutil.copy2(kept, tmp_path))
    change(path)
    before = path.stat(follow_symlinks=False).st_ino

    account_memory(VALUES, directory=tmp_path)

    assert path.stat(follow_symlinks=False).st_ino != before
    assert path.stat().st_mode & 0o077 == 0


def test_a_good_copy_is_taken(kept: Path) -> None:
    before = kept.stat().st_ino

    assert account_memory(VALUES, directory=kept.parent) == kept.read_bytes()[32:]
    assert kept.stat().st_ino == before


def test_copies_differ_by_what_fills_the_placeholders(kept: Path, tmp_path: Path) -> None:
    shutil.copy2(kept, tmp_path)
    account_memory({**VALUES, "service_image_digest": "b" * 64}, directory=tmp_path)

    assert len(list(tmp_path.glob("*.memory"))) == 2
