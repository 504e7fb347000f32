"""A secret in code is in every clone, every state file and every plan."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, fails, holds
from policies.secrets import looks_like_secret, named_as_secret
from policies.settings import Settings
from policies.tree import Origin, Resource, Tree
from policies.values import Encoded, Value, leaves

# Arguments whose value is the secret itself.
_SECRETS = {
    "aws_db_instance": ("password",),
    "aws_rds_cluster": ("master_password",),
    "aws_elasticache_replication_group": ("auth_token",),
    "aws_secretsmanager_secret_version": ("secret_string", "secret_binary"),
    "aws_ssm_parameter": ("value",),
}


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for kind, arguments in _SECRETS.items():
        for resource in tree.of(kind):
            if kind != "aws_ssm_parameter" or resource.one("type") == "SecureString":
                yield _judge(resource, [resource.values.get(argument) for argument in arguments])
    for variable in tree.of("variable"):
        given = variable.values.get("given")
        if named_as_secret(variable.name) or looks_like_secret(given):
            yield _judge(variable, [given])


def _judge(resource: Resource, values: list[Value]) -> Judged:
    """Unknown is what a secret should be to a reader of code; an empty text is none."""
    literal = [leaf for value in values for leaf in leaves(value) if isinstance(leaf, str) and leaf]
    structured = any(isinstance(value, Encoded) for value in values)
    if literal and (not structured or any(map(looks_like_secret, literal)) or _holds_secret(values)):
        return fails(resource, "it holds a secret in plain text")
    return holds(resource)


def _holds_secret(values: list[Value]) -> bool:
    """A JSON secret may name hosts and users in plain text, but no password."""
    objects = [value.value for value in values if isinstance(value, Encoded) and isinstance(value.value, dict)]
    return any(named_as_secret(key) and isinstance(one, str) and one for made in objects for key, one in made.items())


RULE = Rule(
    id="CKV_RG_29",
    says="No secret stands in code or in a variables file",
    remedy="Use manage_master_user_password, a generated value, or a secret that is set outside of Terraform.",
    controls=("SEC-02", "IAC-04"),
    judge=judge,
    origins=(Origin.SOURCE,),
)
