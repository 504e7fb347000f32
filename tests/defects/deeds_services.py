"""What a person changes by hand in containers, stores, rights and registries of the account under release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.client import Sandbox
from tests.defects.deeds import Deed, client, done, named
from tests.defects.model import Undo

# ------------------------------------------------------------------------------------------------ compute


def _update(sandbox: Sandbox, slot: str, **values: object) -> dict[str, Any]:
    asked = {"cluster": sandbox.outputs["cluster_name"], "service": sandbox.outputs["service_names"][slot]}
    answer: dict[str, Any] = client(sandbox, "ecs").update_service(**asked, **values)["service"]
    return answer


def _service(sandbox: Sandbox, slot: str) -> dict[str, Any]:
    asked = {"cluster": sandbox.outputs["cluster_name"], "services": [sandbox.outputs["service_names"][slot]]}
    answer: dict[str, Any] = client(sandbox, "ecs").describe_services(**asked)["services"][0]
    return answer


def candidate_with(**values: object) -> Deed:
    """The candidate's service, which has no task yet, with other settings."""

    def act(sandbox: Sandbox) -> Undo:
        before = _service(sandbox, "blue")
        _update(sandbox, "blue", **values)
        return lambda: done(_update(sandbox, "blue", **{name: before.get(name, []) for name in values}))

    return act


def _placed(sandbox: Sandbox, **values: object) -> Undo:
    before = _service(sandbox, "blue")["networkConfiguration"]
    place = {**before["awsvpcConfiguration"], **values}
    return candidate_with(networkConfiguration={"awsvpcConfiguration": place})(sandbox)


def in_public_subnets(sandbox: Sandbox) -> Undo:
    """The candidate's tasks run beside the load balancer."""
    names = [f"shop-api-public-us-east-1{letter}" for letter in "ab"]
    subnets = [named(sandbox, "describe_subnets", key="Subnets", name=name)["SubnetId"] for name in names]
    return _placed(sandbox, subnets=subnets)


def with_public_address(sandbox: Sandbox) -> Undo:
    """The candidate's tasks get public addresses."""
    return _placed(sandbox, assignPublicIp="ENABLED")


def shares_the_name(sandbox: Sandbox) -> Undo:
    """The candidate registers under the live slot's name."""
    return candidate_with(serviceRegistries=_service(sandbox, "green")["serviceRegistries"])(sandbox)


def candidate_runs(**changes: object) -> Deed:
    """The candidate's revision has a container that differs in these."""

    def act(sandbox: Sandbox) -> Undo:
        ecs, before = client(sandbox, "ecs"), _service(sandbox, "blue")["taskDefinition"]
        definition = ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
        container = {**definition["containerDefinitions"][0], **changes}
        kept = {
            name: definition[name]
            for name in (
                "family",
                "networkMode",
                "requiresCompatibilities",
                "cpu",
                "memory",
                "executionRoleArn",
                "taskRoleArn",
            )
        }
        bare = {name: value for name, value in container.items() if value is not None}
        made = ecs.register_task_definition(**kept, containerDefinitions=[bare])["taskDefinition"]["taskDefinitionArn"]
        _update(sandbox, "blue", taskDefinition=made)

        def undo() -> None:
            _update(sandbox, "blue", taskDefinition=before)
            ecs.deregister_task_definition(taskDefinition=made)

        return undo

    return act


def _scaled(sandbox: Sandbox) -> dict[str, str]:
    names = sandbox.outputs["service_names"]
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{sandbox.outputs['cluster_name']}/{names['green']}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def scale_from_one(sandbox: Sandbox) -> Undo:
    """The live slot may go down to one task."""
    scaling, asked = client(sandbox, "application-autoscaling"), _scaled(sandbox)
    scaling.register_scalable_target(**asked, MinCapacity=1)
    return lambda: done(scaling.register_scalable_target(**asked, MinCapacity=2))


def without_memory_signal(sandbox: Sandbox) -> Undo:
    """The live slot no longer scales on memory."""
    scaling, asked = client(sandbox, "application-autoscaling"), _scaled(sandbox)
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=asked["ResourceId"])["ScalingPolicies"]
    policy = next(one for one in found if one["PolicyName"].endswith("-memory"))
    scaling.delete_scaling_policy(**asked, PolicyName=policy["PolicyName"])
    kept = {name: policy[name] for name in ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")}
    return lambda: done(scaling.put_scaling_policy(**asked, **kept))


# ------------------------------------------------------------------------------------------------ settings


def setting(service: str, operation: str, *, wrong: Mapping[str, object], right: Mapping[str, object]) -> Deed:
    """One call with a wrong setting; the same call with the right one takes it back."""

    def act(sandbox: Sandbox) -> Undo:
        call = getattr(client(sandbox, service), operation)
        call(**wrong)
        return lambda: done(call(**right))

    return act


def key_without_rotation(sandbox: Sandbox) -> Undo:
    """The key of customers' data stays the same for ever."""
    kms = client(sandbox, "kms")
    key = kms.describe_key(KeyId="alias/shop-api-data")["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key)
    return lambda: done(kms.enable_key_rotation(KeyId=key))


def role_for_everything(sandbox: Sandbox) -> Undo:
    """The tasks' role may do everything."""
    iam = client(sandbox, "iam")
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="shop-api", PolicyName="by-hand", PolicyDocument=document)
    return lambda: done(iam.delete_role_policy(RoleName="shop-api", PolicyName="by-hand"))


def firewall_counts(sandbox: Sandbox) -> Undo:
    """Every managed group of the web ACL only counts."""
    waf = client(sandbox, "wafv2")
    listed = waf.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
    place = {"Name": listed["Name"], "Scope": "REGIONAL", "Id": listed["Id"]}
    acl = waf.get_web_acl(**place)["WebACL"]
    counting = [{**one, "OverrideAction": {"Count": {}}} if "OverrideAction" in one else one for one in acl["Rules"]]

    def put(rules: list[dict[str, Any]]) -> None:
        waf.update_web_acl(
            **place,
            DefaultAction=acl["DefaultAction"],
            VisibilityConfig=acl["VisibilityConfig"],
            Rules=rules,
            LockToken=waf.get_web_acl(**place)["LockToken"],
        )

    put(counting)
    return lambda: put(acl["Rules"])


def firewall_away(sandbox: Sandbox) -> Undo:
    """The web ACL is taken off the load balancer."""
    waf, arn = client(sandbox, "wafv2"), str(sandbox.outputs["load_balancer_arn"])
    acl = waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"]
    waf.disassociate_web_acl(ResourceArn=arn)
    return lambda: done(waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn))


def logs_for_ever(sandbox: Sandbox) -> Undo:
    """The tasks' logs are never deleted."""
    logs = client(sandbox, "logs")
    group = logs.describe_log_groups(logGroupNamePrefix="/ecs/shop-api")["logGroups"][0]
    name, days = group["logGroupName"], group["retentionInDays"]
    logs.delete_retention_policy(logGroupName=name)
    return lambda: done(logs.put_retention_policy(logGroupName=name, retentionInDays=days))


def bucket_open(sandbox: Sandbox) -> Undo:
    """What customers store may become public."""
    s3, bucket = client(sandbox, "s3"), f"shop-api-documents-{sandbox.outputs['account_id']}"
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=bucket)
    return lambda: done(s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before))


def state_gone(sandbox: Sandbox) -> Undo:
    """The state lies somewhere else: its object is not in the bucket."""
    s3, bucket = client(sandbox, "s3"), f"shop-api-terraform-state-{sandbox.outputs['account_id']}"
    key = "production/terraform.tfstate"
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=key)
    return lambda: done(s3.put_object(Bucket=bucket, Key=key, Body=content))


# ------------------------------------------------------------------------------------------------ registry


def foreign_puller(sandbox: Sandbox) -> Undo:
    """Another account may pull the service's image."""
    ecr = client(sandbox, "ecr")
    before = ecr.get_repository_policy(repositoryName="shop-api")["policyText"]
    document = json.loads(before)
    document["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "ecr:BatchGetImage"}
    )
    ecr.set_repository_policy(repositoryName="shop-api", policyText=json.dumps(document))
    return lambda: done(ecr.set_repository_policy(repositoryName="shop-api", policyText=before))


def keep_one_image(sandbox: Sandbox) -> Undo:
    """Only the newest image is kept, whichever runs, and a newer one was pushed."""
    ecr = client(sandbox, "ecr")
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": []})
    newer = ecr.put_image(repositoryName="shop-api", imageManifest=manifest, imageTag="build-newer")["image"]["imageId"]
    before = ecr.get_lifecycle_policy(repositoryName="shop-api")["lifecyclePolicyText"]
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="shop-api", lifecyclePolicyText=json.dumps({"rules": [rule]}))

    def undo() -> None:
        ecr.put_lifecycle_policy(repositoryName="shop-api", lifecyclePolicyText=before)
        ecr.batch_delete_image(repositoryName="shop-api", imageIds=[{"imageDigest": newer["imageDigest"]}])

    return undo


# ------------------------------------------------------------------------------------------------ gateway


def gateway_by_hand(*, endpoint_open: bool = False, stage: bool = False, route: bool = False) -> Deed:
    """Somebody makes an API: its own endpoint open, a stage that nothing throttles, or a route that asks nobody."""

    def act(sandbox: Sandbox) -> Undo:
        gateway = client(sandbox, "apigatewayv2")
        api = gateway.create_api(Name="by-hand", ProtocolType="HTTP", DisableExecuteApiEndpoint=not endpoint_open)[
            "ApiId"
        ]
        if stage:
            logs = {
                "DestinationArn": f"arn:aws:logs:us-east-1:{sandbox.outputs['account_id']}:log-group:by-hand",
                "Format": "{}",
            }
            gateway.create_stage(ApiId=api, StageName="by-hand", AccessLogSettings=logs)
        if route:
            gateway.create_route(ApiId=api, RouteKey="GET /by-hand", AuthorizationType="NONE")
        return lambda: done(gateway.delete_api(ApiId=api))

    return act
