"""SNS delivery, Route 53 changes, DynamoDB tokens, scalable targets."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cloud_world import ADDRESS, CLUSTER, CloudWorld, error_code

pytest_plugins = ("cloud_fixtures",)


def test_a_hanging_subscriber_never_delays_publish(cloud: CloudWorld) -> None:
    """moto posts within Publish: it would hang for ever here, and fail where nobody listens."""
    hanging = socket.create_server((ADDRESS, 0))
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    for port in (hanging.getsockname()[1], 9):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://{ADDRESS}:{port}/")
    start = time.perf_counter()
    for number in range(20):
        sns.publish(TopicArn=topic, Message=f"message {number}")
    seconds = time.perf_counter() - start
    hanging.close()

    assert seconds < 1.5


def _record(host: str, address: str) -> dict[str, object]:
    records = {"Name": host, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
    return {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}


def _answers(cloud: CloudWorld, host: str) -> list[str]:
    found = [one for one in cloud.plane.dns_records() if one["Name"] == f"{host}." and one["Type"] == "A"]
    return [value["Value"] for one in found for value in one["ResourceRecords"]]


def test_a_dns_change_takes_thirty_seconds(cloud: CloudWorld) -> None:
    """PENDING, then INSYNC; DNS answers the old record until then."""
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    first = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=_record("a.shop.example", "192.0.2.1"))
    assert first["ChangeInfo"]["Status"] == "PENDING"
    cloud.clock.advance(30)
    assert route53.get_change(Id=first["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    second = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=_record("a.shop.example", "192.0.2.2"))
    cloud.clock.advance(29)

    assert second["ChangeInfo"]["Id"] != first["ChangeInfo"]["Id"]
    assert _answers(cloud, "a.shop.example") == ["192.0.2.1"]
    listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["ResourceRecords"][0]["Value"] for one in listed if one["Type"] == "A"] == ["192.0.2.2"]
    cloud.clock.advance(1)
    assert _answers(cloud, "a.shop.example") == ["192.0.2.2"]


def test_never_insync(cloud: CloudWorld) -> None:
    """With the dns fault the change stays PENDING; cleared, it gets there."""
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    cloud.clock.advance(30)
    cloud.plane.set_fault("never_insync", True, slot="dns")
    change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=_record("a.shop.example", "192.0.2.1"))
    cloud.clock.advance(3600)
    assert route53.get_change(Id=change["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "PENDING"
    assert [one["Type"] for one in cloud.plane.dns_records()] == ["NS", "SOA"]
    cloud.plane.clear_faults()

    assert route53.get_change(Id=change["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert error_code(lambda: route53.get_change(Id="C404")) == "NoSuchChange"


def test_the_deletion_of_a_zone_is_a_change_that_can_be_followed(cloud: CloudWorld) -> None:
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    cloud.clock.advance(30)
    assert cloud.plane.dns_records() != []

    change = route53.delete_hosted_zone(Id=zone)["ChangeInfo"]

    assert route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "PENDING"
    cloud.clock.advance(30)
    assert route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert cloud.plane.dns_records() == []


def _table(cloud: CloudWorld) -> None:
    cloud.client("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )


def _add(cloud: CloudWorld, token: str, amount: int = 1) -> None:
    update = {
        "TableName": "t",
        "Key": {"pk": {"S": "counter"}},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": str(amount)}},
    }
    cloud.client("dynamodb").transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken=token)


def _counter(cloud: CloudWorld) -> int:
    item = cloud.client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "counter"}}, ConsistentRead=True)
    return int(item["Item"]["n"]["N"])


def test_a_transaction_token_takes_effect_once(cloud: CloudWorld) -> None:
    """Same token and parameters: success without effect, for ten virtual minutes. moto adds each time."""
    _table(cloud)
    _add(cloud, "one")
    _add(cloud, "one")
    assert _counter(cloud) == 1
    assert error_code(lambda: _add(cloud, "one", amount=2)) == "IdempotentParameterMismatchException"
    cloud.clock.advance(600)
    _add(cloud, "one", amount=2)

    assert _counter(cloud) == 3


def test_a_cancelled_transaction_may_be_tried_again(cloud: CloudWorld) -> None:
    """Only what took effect is remembered."""
    _table(cloud)
    put = {"TableName": "t", "Item": {"pk": {"S": "lock"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    dynamodb = cloud.client("dynamodb")

    def take() -> None:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken="t1")

    dynamodb.put_item(TableName="t", Item={"pk": {"S": "lock"}})
    assert error_code(take) == "TransactionCanceledException"
    dynamodb.delete_item(TableName="t", Key={"pk": {"S": "lock"}})
    take()
    take()


def test_conditional_writes_have_one_winner(cloud: CloudWorld) -> None:
    """Compare-and-set from eight threads: every success counted once (moto's server loses some)."""
    _table(cloud)
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "counter"}, "n": {"N": "0"}})
    wins, lock = [0], threading.Lock()

    def compare_and_set(_number: int) -> None:
        seen = _counter(cloud)
        arguments = {
            "TableName": "t",
            "Item": {"pk": {"S": "counter"}, "n": {"N": str(seen + 1)}},
            "ConditionExpression": "n = :seen",
            "ExpressionAttributeValues": {":seen": {"N": str(seen)}},
        }
        try:
            dynamodb.put_item(**arguments)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return
        with lock:
            wins[0] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(compare_and_set, range(80)))

    assert _counter(cloud) == wins[0] > 0


def test_a_suspended_scalable_target_keeps_what_was_not_named(shop: CloudWorld) -> None:
    """Suspending leaves the capacity, changing the capacity leaves the suspension."""
    scaling = shop.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{CLUSTER}/shop-api-green",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": True})
    scaling.register_scalable_target(**target, MaxCapacity=10)
    found = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[target["ResourceId"]])

    assert (found["ScalableTargets"][0]["MinCapacity"], found["ScalableTargets"][0]["MaxCapacity"]) == (2, 10)
    assert found["ScalableTargets"][0]["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
