"""What a person does past the code and the people: in the account by hand, or to the papers of the sandbox's people."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policies.catalogue.reader import load
from probes.account.session import account_of
from probes.change_files import APPLIED, APPROVALS, KEPT_SHOWN, SAVED
from rehearsal.compliance import RECORDED
from rehearsal.findings.compliance import practices_of
from rehearsal.people import CHANGE, papers_of
from sandbox.client import Sandbox
from tests.defects.model import Undo
from tests.defects.trees import ROOT

Deed = Callable[[Sandbox], Undo]
_DATABASE = "module.database.aws_db_instance.primary"


def _client(sandbox: Sandbox, service: str, region: str | None = None) -> Any:
    account = account_of(dict(sandbox.outputs) | ({"region": region} if region else {}))
    return account.client(service)


def _bucket(sandbox: Sandbox) -> str:
    return f"shop-api-documents-{sandbox.outputs['account_id']}"


# ------------------------------------------------------------------------------------------------ the account


def encrypt_with_amazons_key(sandbox: Sandbox) -> Undo:
    """The bucket of documents is encrypted with a key that everybody's objects share, no longer with ours."""
    s3, name = _client(sandbox, "s3"), _bucket(sandbox)
    before = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    after = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=after)
    return lambda: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=before)


def keep_objects_for_ever(sandbox: Sandbox) -> Undo:
    """The bucket of documents has no lifecycle any more."""
    s3, name = _client(sandbox, "s3"), _bucket(sandbox)
    before = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    s3.delete_bucket_lifecycle(Bucket=name)
    return lambda: s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": before})


def store_abroad(sandbox: Sandbox) -> Undo:
    """Somebody makes a bucket like that of documents, in a region that nobody agreed to."""
    here, s3 = _client(sandbox, "s3"), _client(sandbox, "s3", "ap-south-1")
    model, name = _bucket(sandbox), "shop-api-abroad"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration=here.get_bucket_encryption(Bucket=model)["ServerSideEncryptionConfiguration"],
    )
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration=here.get_public_access_block(Bucket=model)["PublicAccessBlockConfiguration"],
    )
    rules = here.get_bucket_lifecycle_configuration(Bucket=model)["Rules"]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    s3.put_bucket_policy(Bucket=name, Policy=here.get_bucket_policy(Bucket=model)["Policy"].replace(model, name))
    return lambda: s3.delete_bucket(Bucket=name)


def keep_audit_log_for_ever(sandbox: Sandbox) -> Undo:
    """The log group of the audit trail has no retention."""
    logs = _client(sandbox, "logs")
    groups = logs.describe_log_groups()["logGroups"]
    group = next(one for one in groups if "trail" in one["logGroupName"])
    logs.delete_retention_policy(logGroupName=group["logGroupName"])
    return lambda: logs.put_retention_policy(
        logGroupName=group["logGroupName"], retentionInDays=group["retentionInDays"]
    )


def add_plain_database(sandbox: Sandbox) -> Undo:
    """Somebody makes a database without encryption beside the one that has it."""
    rds = _client(sandbox, "rds")
    rds.create_db_instance(
        DBInstanceIdentifier="reporting",
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="reporting",
        ManageMasterUserPassword=True,
        StorageEncrypted=False,
    )
    return lambda: rds.delete_db_instance(DBInstanceIdentifier="reporting", SkipFinalSnapshot=True)


def trust_everybody_of_the_account(sandbox: Sandbox) -> Undo:
    """The role that submits releases is anybody's of the account, without a second factor."""
    iam = _client(sandbox, "iam")
    before = iam.get_role(RoleName="release-submitter")["Role"]["AssumeRolePolicyDocument"]
    principal = {"AWS": f"arn:aws:iam::{sandbox.outputs['account_id']}:root"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    after = {"Version": "2012-10-17", "Statement": [statement]}
    iam.update_assume_role_policy(RoleName="release-submitter", PolicyDocument=json.dumps(after))
    return lambda: iam.update_assume_role_policy(RoleName="release-submitter", PolicyDocument=json.dumps(before))


def stop_the_trail(sandbox: Sandbox) -> Undo:
    """Whoever is about to do something stops the recording first."""
    trail = _client(sandbox, "cloudtrail")
    name = trail.describe_trails()["trailList"][0]["TrailARN"]
    trail.stop_logging(Name=name)
    return lambda: trail.start_logging(Name=name)


def open_a_port(sandbox: Sandbox) -> Undo:
    """A rule by hand that every check finds harmless: one port, to a named group. Nobody reviewed it."""
    ec2 = _client(sandbox, "ec2")
    groups = {one["GroupName"]: one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    database = next(number for name, number in groups.items() if name.endswith("-database"))
    source = next(number for name, number in groups.items() if name.endswith("-load"))
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": source}]}
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[rule])
    return lambda: ec2.revoke_security_group_ingress(GroupId=database, IpPermissions=[rule])


def delete_the_candidates_group(sandbox: Sandbox) -> Undo:
    """The rule forwards to one side alone, and the other side's group is gone. Only for a sandbox of its own."""
    elb, groups = _client(sandbox, "elbv2"), dict(sandbox.outputs["target_group_arns"])
    for listener in elb.describe_listeners(LoadBalancerArn=sandbox.outputs["load_balancer_arn"])["Listeners"]:
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if groups["blue"] in json.dumps(rule["Actions"]) and not rule["IsDefault"]:
                kept = [{"Type": "forward", "TargetGroupArn": groups["green"]}]
                elb.modify_rule(RuleArn=rule["RuleArn"], Actions=kept)
    elb.delete_target_group(TargetGroupArn=groups["blue"])
    return lambda: None


def leave_one_zone(sandbox: Sandbox) -> Undo:
    """Of the private subnets only those of one zone are left. Only for a sandbox of its own."""
    ec2, elb = _client(sandbox, "ec2"), _client(sandbox, "elbv2")
    arns = [str(sandbox.outputs["load_balancer_arn"])]
    balancer = elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"][0]
    public = {one["SubnetId"] for one in balancer["AvailabilityZones"]}
    in_vpc = [{"Name": "vpc-id", "Values": [balancer["VpcId"]]}]
    for subnet in ec2.describe_subnets(Filters=in_vpc)["Subnets"]:
        if subnet["SubnetId"] not in public and not subnet["AvailabilityZone"].endswith("a"):
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    return lambda: None


# ------------------------------------------------------------------------------------------------ the papers


def papers_with(doctor: Callable[[Path], None]) -> Deed:
    """The sandbox's people sign another change: `doctor` spoils a copy of the recorded one before they do."""

    def act(sandbox: Sandbox) -> Undo:
        with tempfile.TemporaryDirectory(prefix="doctored-") as scratch:
            copy = Path(scratch) / "change"
            shutil.copytree(ROOT / RECORDED, copy)
            doctor(copy)
            forget_papers(sandbox)
            papers_of(sandbox.directory, practices_of(load()), copy)
        return lambda: forget_papers(sandbox)

    return act


def forget_papers(sandbox: Sandbox) -> None:
    """The next who asks has them signed anew."""
    shutil.rmtree(sandbox.directory / "papers", ignore_errors=True)


def record_says(**values: object) -> Deed:
    """The record of the apply says something else for these keys."""

    def doctor(place: Path) -> None:
        path = place / APPLIED
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**document, **values}), encoding="utf-8")

    return papers_with(doctor)


def _replace_the_database(place: Path) -> None:
    path = place / KEPT_SHOWN
    shown = json.loads(gzip.decompress(path.read_bytes()))
    found = next(one for one in shown["resource_changes"] if one["address"] == _DATABASE)
    found["change"]["actions"] = ["delete", "create"]
    path.write_bytes(gzip.compress(json.dumps(shown).encode(), mtime=0))


replace_the_database = papers_with(_replace_the_database)


def _papers(sandbox: Sandbox) -> Path:
    """The papers that there are, made if nobody asked for them yet."""
    return papers_of(sandbox.directory, practices_of(load()), ROOT / RECORDED)


def change_the_plan(sandbox: Sandbox) -> Undo:
    """One more byte in the saved plan, after it was approved."""
    path = _papers(sandbox) / CHANGE / SAVED
    before = path.read_bytes()
    path.write_bytes(before[:-2] + b"\x01\x00!")  # a longer comment at the end of a ZIP file, which still reads
    return lambda: _write(path, before)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def withdraw_the_approval(sandbox: Sandbox) -> Undo:
    """Nobody approved the change."""
    path = _papers(sandbox) / CHANGE / APPROVALS / "review.dsse.json"
    before = path.read_bytes()
    path.unlink()
    return lambda: _write(path, before)
