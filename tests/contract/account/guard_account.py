"""Good guards: roles, trail, detector, gateway, secrets, and the bucket of Terraform's state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.contract.account.account_world import ACCOUNT_ID, REGION, AccountWorld
from tests.contract.account.data_account import key_of, make_bucket

SUBJECT = "token.actions.githubusercontent.com:sub"
AUDIENCE = "token.actions.githubusercontent.com:aud"
PROVIDER = f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.githubusercontent.com"
ENGINE_ACTIONS = frozenset({"elasticloadbalancing:ModifyRule", "ecs:UpdateService"})


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Sequence[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trusted_by_service(name: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"}


def trusted_by_repository(subject: str = "repo:shop/api:environment:production") -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {SUBJECT: subject}, "StringEquals": {AUDIENCE: "sts.amazonaws.com"}},
    }


def trusted_by_people(**condition: Any) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}


def make_role(world: AccountWorld, name: str, trust: dict[str, Any], *statements: dict[str, Any]) -> None:
    iam = world.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))


def make_roles(world: AccountWorld) -> None:
    """The service's, the deployer's and the engine's."""
    tasks = trusted_by_service("ecs-tasks.amazonaws.com")
    make_role(world, "shop-api", tasks, allow(["dynamodb:GetItem"], "arn:aws:dynamodb:*:*:table/sessions"))
    make_role(world, "deploy", trusted_by_repository(), allow(["ecs:DescribeServices"]))
    make_role(world, "engine", tasks, allow(sorted(ENGINE_ACTIONS)))
    attached = world.client("iam").create_policy(PolicyName="more", PolicyDocument=policy(allow(["logs:PutLogEvents"])))
    world.client("iam").attach_role_policy(RoleName="shop-api", PolicyArn=attached["Policy"]["Arn"])
    world.declared = replace(
        world.declared, deploy_roles=frozenset({"deploy"}), engine_role="engine", engine_actions=ENGINE_ACTIONS
    )


def unguard_root(world: AccountWorld) -> None:
    """A fault of the sandbox's: AWS has no call that takes the root's second factor away."""
    world.plane.set_fault("root_without_second_factor", True, slot="account")


def make_trail(world: AccountWorld, **different: Any) -> None:
    world.client("s3").create_bucket(Bucket="trail-files")
    trail = world.client("cloudtrail")
    good = {
        "Name": "audit",
        "S3BucketName": "trail-files",
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
        "KmsKeyId": key_of(world),
    }
    trail.create_trail(**{**good, **different})
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    trail.put_event_selectors(TrailName="audit", EventSelectors=[selector])
    trail.start_logging(Name="audit")


def make_gateway(world: AccountWorld) -> str:
    """Id of an HTTP API with one guarded route, a stage, a private integration and a domain."""
    gateway = world.client("apigatewayv2")
    api = gateway.create_api(Name="shop", ProtocolType="HTTP", DisableExecuteApiEndpoint=True)["ApiId"]
    link = gateway.create_vpc_link(Name="link", SubnetIds=["subnet-1"], SecurityGroupIds=["sg-1"])["VpcLinkId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}:listener/app/shop/1/2",
        ConnectionType="VPC_LINK",
        ConnectionId=link,
        TimeoutInMillis=15_000,
    )["IntegrationId"]
    world.made |= {"api": api, "integration": integration}
    guard = gateway.create_authorizer(
        ApiId=api,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": ["shop"], "Issuer": "https://issuer.shop.example"},
    )["AuthorizerId"]
    target = f"integrations/{integration}"
    gateway.create_route(
        ApiId=api, RouteKey="ANY /api/{proxy+}", AuthorizationType="JWT", AuthorizerId=guard, Target=target
    )
    gateway.create_route(ApiId=api, RouteKey="GET /health", AuthorizationType="NONE", Target=target)
    log = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/gateway"
    gateway.create_stage(
        ApiId=api,
        StageName="$default",
        AccessLogSettings={"DestinationArn": log, "Format": "$context.requestId"},
        DefaultRouteSettings={"ThrottlingRateLimit": 500.0, "ThrottlingBurstLimit": 1000},
    )
    make_domain(world, "api.shop.example", "TLS_1_2")
    world.declared = replace(world.declared, topology="gateway", public_routes=frozenset({"GET /health"}))
    return str(api)


def make_domain(world: AccountWorld, name: str, tls: str) -> None:
    certificate = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/1"
    row = {"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": tls}
    world.client("apigatewayv2").create_domain_name(DomainName=name, DomainNameConfigurations=[row])


def make_state(world: AccountWorld) -> None:
    """A bucket that holds the state, and one lock that was taken and given back."""
    make_bucket(world, "state")
    s3 = world.client("s3")
    # moto does not look at the conditions of a bucket's policy when an object is written: it would refuse us.
    s3.delete_bucket_policy(Bucket="state")
    s3.put_object(Bucket="state", Key="production.tfstate", Body=b"{}")
    s3.put_object(Bucket="state", Key="production.tfstate.tflock", Body=b"{}")
    s3.delete_object(Bucket="state", Key="production.tfstate.tflock")
    world.declared = replace(world.declared, state_bucket="state", state_key="production.tfstate")
