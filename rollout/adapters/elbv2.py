"""The rule, or the listener's default action, that carries the customers. Satisfies `ports.TrafficRouter`.

There is no compare-and-set on rules and ModifyRule replaces all actions, so every change is read, change two numbers,
write back. Sources: ELBv2 API reference, ModifyRule, ModifyListener, ForwardActionConfig.

Tags. The rule (or listener): `release-gates:stable` and `release-gates:candidate` name the slots. Each target group:
`release-gates:stable` and `release-gates:candidate` are "true" or "false" for itself, so that a person with nothing
but the load balancer can tell. All three: `release-gates:rollout`, the rollout's id or "-".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from rollout.adapters.clients import Clients, asking
from rollout.adapters.forward import Action, Forward, forward_of, share_of, with_weights
from rollout.errors import BadInput, SourceError
from rollout.seen import ListenerReading
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionUnionTypeDef, TagTypeDef

STABLE_TAG, CANDIDATE_TAG, ROLLOUT_TAG = "release-gates:stable", "release-gates:candidate", "release-gates:rollout"
# Half of the first bake: after it, no customer who was moved is still held by a cookie.
STICKINESS_SECONDS_MAX = 450.0


class ElbRouter:
    """Reads and moves the weights of `target.rule_arn`, or of `target.listener_arn`'s default action without one."""

    def __init__(
        self, clients: Clients, target: Target, *, stickiness_seconds_max: float = STICKINESS_SECONDS_MAX
    ) -> None:
        self._clients, self._target = clients, target
        self._stickiness_seconds_max = stickiness_seconds_max

    def read(self, *, stable: str, candidate: str) -> ListenerReading:
        """The live share. A rule that cannot be told apart is a reading with `error`, not an exception: somebody may
        have changed it while customers are on it. Raises SourceError if the rule cannot be read."""
        forward = forward_of(self._actions())
        attached = forward is not None and {self._group(stable), self._group(candidate)} <= set(forward.weights)
        refusal = self._refusal(forward)
        if refusal is not None or forward is None:
            return ListenerReading(candidate_share=None, attached=attached, error=str(refusal))
        return ListenerReading(
            candidate_share=self._share(forward, stable=stable, candidate=candidate), attached=attached
        )

    def set_share(self, *, stable: str, candidate: str, share_percent: int) -> None:
        """Give the candidate `share_percent` of the two weights, both groups attached; nothing if that is so already.

        A share over 0 is refused with BadInput for a rule that cannot be moved safely. Share 0 only asks for a forward
        action: a third group or a long stickiness must never keep traffic on a bad candidate.
        """
        assert 0 <= share_percent <= 100, f"{share_percent} is not a share in percent"
        actions = self._actions()
        forward = forward_of(actions)
        refusal = self._refusal(forward)
        if forward is None or (refusal is not None and share_percent > 0):
            raise refusal or self._without_forward()
        wanted = {self._group(stable): 100 - share_percent, self._group(candidate): share_percent}
        if (
            set(wanted) <= set(forward.weights)
            and self._share(forward, stable=stable, candidate=candidate) == share_percent
        ):
            return
        self._write(with_weights(actions, wanted))

    def roles(self) -> tuple[str, str]:
        """(stable, candidate): the slot with all of the weight is stable; with split weights the tags decide.

        Raises BadInput if neither tells, or if the rule cannot be moved safely."""
        forward = forward_of(self._actions())
        refusal = self._refusal(forward)
        if refusal is not None or forward is None:
            raise refusal or self._without_forward()
        first, second = self._slots()
        share = self._share(forward, stable=first, candidate=second)
        if share == 0:
            return first, second
        if share == 100:
            return second, first
        return self._roles_by_tags()

    def remember_roles(self, *, stable: str, candidate: str) -> None:
        """Write the tags named at the top of this module, where they differ; looks before it writes."""
        present = self._tags()
        rollout = self._clients.rollout_id or "-"
        wanted = {
            self._target.key: {STABLE_TAG: stable, CANDIDATE_TAG: candidate, ROLLOUT_TAG: rollout},
            self._group(stable): {STABLE_TAG: "true", CANDIDATE_TAG: "false", ROLLOUT_TAG: rollout},
            self._group(candidate): {STABLE_TAG: "false", CANDIDATE_TAG: "true", ROLLOUT_TAG: rollout},
        }
        for arn, tags in wanted.items():
            if tags.items() <= present.get(arn, {}).items():
                continue
            rows = [cast("TagTypeDef", {"Key": key, "Value": value}) for key, value in tags.items()]
            with asking("elasticloadbalancing", arn):
                self._clients.elbv2.add_tags(ResourceArns=[arn], Tags=rows)

    def _roles_by_tags(self) -> tuple[str, str]:
        present = self._tags()
        rule = present.get(self._target.key, {})
        stable, candidate = rule.get(STABLE_TAG, ""), rule.get(CANDIDATE_TAG, "")
        if {stable, candidate} == set(self._slots()):
            groups = present.get(self._group(stable), {}), present.get(self._group(candidate), {})
            if (groups[0].get(STABLE_TAG), groups[1].get(STABLE_TAG)) == ("true", "false"):
                return stable, candidate
        raise BadInput(
            f"the weights are split and the tags do not tell who is stable (rule: {stable or 'none'})",
            target=self._target.key,
            hint="Give one side all of the traffic, then start again.",
        )

    def _share(self, forward: Forward, *, stable: str, candidate: str) -> float | None:
        return share_of(forward.weights.get(self._group(stable), 0), forward.weights.get(self._group(candidate), 0))

    def _slots(self) -> tuple[str, str]:
        first, second = sorted(self._target.target_group_arns)
        return first, second

    def _group(self, slot: str) -> str:
        if slot not in self._target.target_group_arns:
            raise BadInput(f"there is no slot {slot!r}", hint=f"Slots are {', '.join(self._slots())}.")
        return self._target.target_group_arns[slot]

    def _refusal(self, forward: Forward | None) -> BadInput | None:
        """Why this rule must not be moved; None if it may."""
        if forward is None:
            return self._without_forward()
        ours = set(self._target.target_group_arns.values())
        foreign = [arn for arn in forward.weights if arn not in ours]
        if foreign:
            return self._refuse(f"it forwards to a third group {foreign[0]}", "Take that group out of the rule first.")
        if sum(forward.weights.values()) == 0:
            return self._refuse("all weights are 0, nobody is served", "Give the stable side a weight first.")
        if forward.stickiness_seconds > self._stickiness_seconds_max:
            return self._refuse(
                f"customers stick to a group for {forward.stickiness_seconds} s and would not follow a weight back, "
                f"{self._stickiness_seconds_max:g} s are allowed",
                "Shorten or disable the rule's group stickiness.",
            )
        return None

    def _without_forward(self) -> BadInput:
        return self._refuse("it has no forward action", "Name the rule that forwards the customers to the two groups.")

    def _refuse(self, cause: str, remedy: str) -> BadInput:
        return BadInput(f"the rule cannot be moved safely: {cause}", target=self._target.key, hint=remedy)

    # ------------------------------------------------------------------------------------------- calls

    def _actions(self) -> Sequence[Mapping[str, Any]]:
        """The actions, asked by ARN: one answer, no pages, and no share of the account's listing limits."""
        rule, listener = self._target.rule_arn, self._target.listener_arn
        with asking("elasticloadbalancing", self._target.key):
            if rule:
                rules = self._clients.elbv2.describe_rules(RuleArns=[rule])["Rules"]
                found: list[Any] = [one for one in rules if one.get("RuleArn") == rule]
                name = "Actions"
            else:
                listeners = self._clients.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"]
                found = [one for one in listeners if one.get("ListenerArn") == listener]
                name = "DefaultActions"
        if len(found) != 1:
            hint = "Apply the infrastructure again, or correct its outputs."
            raise SourceError("the load balancer does not know this rule", target=self._target.key, hint=hint)
        actions: Sequence[Mapping[str, Any]] = found[0].get(name, [])
        return actions

    def _write(self, actions: list[Action]) -> None:
        typed = cast("Sequence[ActionUnionTypeDef]", actions)
        with asking("elasticloadbalancing", self._target.key):
            if self._target.rule_arn:
                self._clients.elbv2.modify_rule(RuleArn=self._target.rule_arn, Actions=typed)
            else:
                self._clients.elbv2.modify_listener(ListenerArn=self._target.listener_arn, DefaultActions=typed)

    def _tags(self) -> Mapping[str, Mapping[str, str]]:
        arns = [self._target.key, *self._target.target_group_arns.values()]
        with asking("elasticloadbalancing", self._target.key):
            rows = self._clients.elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"]
        return {row["ResourceArn"]: {tag["Key"]: tag.get("Value", "") for tag in row["Tags"]} for row in rows}
