"""S3: every bucket of the account, whatever its region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.policy_documents import conditions, opens_to_everybody, principals, statements, texts
from probes.account.population import Resource, Seen, View, check, known, population, view_of

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# Groups of S3's access control lists that stand for everybody (S3 user guide, predefined groups).
_EVERYBODY = ("/global/AllUsers", "/global/AuthenticatedUsers")
_HOME = "us-east-1"  # GetBucketLocation answers nothing for the oldest region, and EU for eu-west-1


def view(account: ClientMaker, declared: Declared) -> View:
    """Buckets with what is configured on each; a configuration that cannot be read is unread, not absent."""
    asker = Asker(account)
    rows = asker.all("s3", "list_buckets", "Buckets")
    return view_of(
        declared,
        population("bucket", "s3 ListBuckets", lambda: _buckets(asker, known(rows))),
    )


def _buckets(asker: Asker, rows: tuple[Mapping[str, Any], ...]) -> tuple[Resource, ...]:
    logs = _balancer_logs(asker)
    return tuple(bucket(asker, row["Name"], balancer_logs=logs) for row in rows)


def _balancer_logs(asker: Asker) -> frozenset[str] | Unread:
    """Buckets that load balancers of the region write their access logs to."""
    balancers = asker.all("elbv2", "describe_load_balancers", "LoadBalancers")
    if isinstance(balancers, Unread):
        return balancers
    found: set[str] = set()
    for one in balancers:
        arn = one["LoadBalancerArn"]
        rows = asker.field("elbv2", "describe_load_balancer_attributes", "Attributes", LoadBalancerArn=arn)
        if isinstance(rows, Unread):
            return rows
        found |= {str(row["Value"]) for row in rows if row["Key"] == "access_logs.s3.bucket" and row.get("Value")}
    return frozenset(found)


def bucket(asker: Asker, name: str, *, balancer_logs: frozenset[str] | Unread = frozenset()) -> Resource:
    """Everything that is judged of one bucket."""
    return Resource(
        name=name,
        facts={
            "block": asker.field("s3", "get_public_access_block", "PublicAccessBlockConfiguration", Bucket=name),
            "policy": asker.field("s3", "get_bucket_policy", "Policy", Bucket=name),
            "grants": asker.field("s3", "get_bucket_acl", "Grants", Bucket=name),
            "encryption": asker.field("s3", "get_bucket_encryption", "ServerSideEncryptionConfiguration", Bucket=name),
            "versioning": _versioning(asker, name),
            "lifecycle": asker.field("s3", "get_bucket_lifecycle_configuration", "Rules", Bucket=name),
            "region": _region(asker, name),
            "balancer_logs": balancer_logs if isinstance(balancer_logs, Unread) else name in balancer_logs,
        },
    )


def _versioning(asker: Asker, name: str) -> str | Unread:
    """Enabled, Suspended, or Never, where AWS answers without a status."""
    answer = asker.one("s3", "get_bucket_versioning", Bucket=name)
    return answer if isinstance(answer, Unread) else str((answer or {}).get("Status", "Never"))


def _region(asker: Asker, name: str) -> str | Unread:
    answer = asker.one("s3", "get_bucket_location", Bucket=name)
    if isinstance(answer, Unread):
        return answer
    found = (answer or {})["LocationConstraint"]
    return "eu-west-1" if found == "EU" else str(found or _HOME)


@check("bucket", rule="is open to nobody outside")
def private(one: Resource, _: Declared) -> Seen:
    """ARCH-08: all four blocks on, and neither its policy nor its access control list opens it."""
    block: Mapping[str, Any] = one["block"] or {}
    off = [name for name in _BLOCKS if block.get(name) is not True]
    wrong = [f"{', '.join(off)} off"] if off else []
    wide = opens_to_everybody(one["policy"]) if one["policy"] else ()
    wrong += [f"open to everybody by {', '.join(wide)}"] if wide else []
    public = [grant for grant in one["grants"] if str(grant["Grantee"].get("URI", "")).endswith(_EVERYBODY)]
    wrong += ["open to everybody by its access control list"] if public else []
    return Seen([name for name in _BLOCKS if name not in off], "; ".join(wrong))


@check("bucket", rule="is encrypted with a key of KMS, or by S3 where load balancers write their logs")
def encrypted(one: Resource, _: Declared) -> Seen:
    """ARCH-08: every bucket has at least S3's own key since 2023; only a KMS key has a log and a lock of its own.

    Load balancers write to buckets under S3's own key and to no others (ELB user guide, access log bucket).
    """
    rules = (one["encryption"] or {}).get("Rules", ())
    kinds = [str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]) for rule in rules]
    good = bool(kinds) and all(kind.startswith("aws:kms") for kind in kinds)
    if not good and kinds == ["AES256"]:
        good = bool(one["balancer_logs"])
    return Seen(kinds, "" if good else f"is encrypted with {', '.join(kinds) or 'nothing'}")


@check("bucket", rule="keeps old versions")
def versioned(one: Resource, _: Declared) -> Seen:
    """ARCH-08."""
    status = str(one["versioning"])
    return Seen(status, "" if status == "Enabled" else f"versioning is {status}")


@check("bucket", rule="lets go of what is old")
def lifecycle(one: Resource, _: Declared) -> Seen:
    """ARCH-08, VAL-12: an enabled rule expires objects, old versions or unfinished uploads after stated days."""
    rules = [rule for rule in one["lifecycle"] or () if rule["Status"] == "Enabled"]
    ending = [str(rule.get("ID", "")) for rule in rules if _ends(rule)]
    return Seen(ending, "" if ending else "has no enabled lifecycle rule that lets anything go")


def _ends(rule: Mapping[str, Any]) -> bool:
    days = (
        (rule.get("Expiration") or {}).get("Days"),
        (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays"),
    )
    return any(isinstance(one, int) and one > 0 for one in days)


@check("bucket", rule="lies in a region on the residency list", limit=lambda declared: sorted(declared.residency))
def resident(one: Resource, declared: Declared) -> Seen:
    """VAL-12."""
    return Seen(one["region"], "" if one["region"] in declared.residency else f"lies in {one['region']}")


@check("bucket", rule="refuses plain HTTP")
def tls_only(one: Resource, _: Declared) -> Seen:
    """HIPAA 164.312(e)(1): a policy statement denies everybody what does not come over TLS."""
    found = [one for one in (statements(one["policy"]) if one["policy"] else ()) if _denies_plain(one)]
    return Seen(len(found), "" if found else "answers plain HTTP")


def _denies_plain(statement: Mapping[str, Any]) -> bool:
    everybody = statement["Effect"] == "Deny" and "*" in principals(statement)
    everything = any(action in ("*", "s3:*") for action in texts(statement.get("Action")))
    plain = any(
        op == "Bool" and key == "aws:securetransport" and values == ("false",)
        for op, key, values in conditions(statement)
    )
    return everybody and everything and plain
