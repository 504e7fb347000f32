"""X-Ray's sampling rules, groups and their tags; everything else is moto's.

Corrects moto 5.2.5, which has no route for them. Calls of X-Ray are POST /<Operation> with a JSON document.
Source: X-Ray API reference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random
from moto.xray.responses import XRayResponse

from sandbox.cloud.errors import AwsError
from sandbox.cloud.world import ACCOUNT_ID

Document = dict[str, Any]
_RULE_DEFAULT = "Default"


class Sampling:
    """The account's rules and groups, by ARN; outlives the calls."""

    def __init__(self) -> None:
        self.rules: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.tags: dict[str, dict[str, str]] = {}


class XRayApi(XRayResponse):
    """The API handler; one instance per call."""

    def __init__(self, sampling: Sampling) -> None:
        super().__init__()
        self._sampling = sampling
        self._own: Mapping[str, Callable[[Document], Document]] = {
            "CreateSamplingRule": self._create_rule,
            "UpdateSamplingRule": self._update_rule,
            "DeleteSamplingRule": self._delete_rule,
            "GetSamplingRules": self._get_rules,
            "CreateGroup": self._create_group,
            "GetGroup": lambda asked: {"Group": self._group(asked)},
            "UpdateGroup": self._update_group,
            "DeleteGroup": self._delete_group,
            "GetGroups": lambda asked: {"Groups": list(self._sampling.groups.values())},
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def _get_action(self) -> str:
        return self.path.strip("/")

    def call_action(self) -> Any:
        own = self._own.get(self._get_action())
        if own is None:
            return super().call_action()
        headers = {"Content-Type": "application/json"}
        try:
            return 200, headers, json.dumps(own(json.loads(self.body or b"{}")))
        except AwsError as error:
            refusal = {"__type": error.code, "Message": error.message}
            return 400, {**headers, "x-amzn-ErrorType": str(error.code)}, json.dumps(refusal)

    # ------------------------------------------------------------------------------------------- rules

    def _create_rule(self, asked: Document) -> Document:
        rule = {"Attributes": {}, **asked["SamplingRule"]}
        arn = self._arn("sampling-rule", rule["RuleName"])
        if arn in self._sampling.rules:
            raise AwsError("InvalidRequestException", f"A sampling rule named {rule['RuleName']} already exists")
        now = time.time()
        record = {"SamplingRule": {**rule, "RuleARN": arn}, "CreatedAt": now, "ModifiedAt": now}
        self._sampling.rules[arn] = record
        self._note_tags(arn, asked)
        return {"SamplingRuleRecord": record}

    def _update_rule(self, asked: Document) -> Document:
        change = asked["SamplingRuleUpdate"]
        record = self._rule(change)
        record["SamplingRule"].update({name: value for name, value in change.items() if value is not None})
        record["ModifiedAt"] = time.time()
        return {"SamplingRuleRecord": record}

    def _delete_rule(self, asked: Document) -> Document:
        record = self._rule(asked)
        del self._sampling.rules[record["SamplingRule"]["RuleARN"]]
        return {"SamplingRuleRecord": record}

    def _get_rules(self, _asked: Document) -> Document:
        return {"SamplingRuleRecords": list(self._sampling.rules.values())}

    def _rule(self, asked: Document) -> Document:
        arn = asked.get("RuleARN") or self._arn("sampling-rule", asked.get("RuleName") or _RULE_DEFAULT)
        if arn not in self._sampling.rules:
            raise AwsError("InvalidRequestException", f"Sampling rule not found: {arn}")
        return self._sampling.rules[arn]

    # ------------------------------------------------------------------------------------------- groups

    def _create_group(self, asked: Document) -> Document:
        arn = f"{self._arn('group', asked['GroupName'])}/{mock_random.uuid4().hex[:26].upper()}"
        group = {name: value for name, value in asked.items() if name != "Tags"} | {"GroupARN": arn}
        self._sampling.groups[arn] = group
        self._note_tags(arn, asked)
        return {"Group": group}

    def _update_group(self, asked: Document) -> Document:
        group = self._group(asked)
        group.update({name: asked[name] for name in ("FilterExpression", "InsightsConfiguration") if name in asked})
        return {"Group": group}

    def _delete_group(self, asked: Document) -> Document:
        del self._sampling.groups[self._group(asked)["GroupARN"]]
        return {}

    def _group(self, asked: Document) -> Document:
        for arn, group in self._sampling.groups.items():
            if asked.get("GroupARN") == arn or asked.get("GroupName") == group["GroupName"]:
                return group
        raise AwsError("InvalidRequestException", "Group not found")

    # ------------------------------------------------------------------------------------------- tags

    def _note_tags(self, arn: str, asked: Document) -> None:
        self._sampling.tags[arn] = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or []}

    def _list_tags(self, asked: Document) -> Document:
        tags = self._sampling.tags.get(asked["ResourceARN"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, asked: Document) -> Document:
        given = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        self._sampling.tags.setdefault(asked["ResourceARN"], {}).update(given)
        return {}

    def _untag(self, asked: Document) -> Document:
        for key in asked["TagKeys"]:
            self._sampling.tags.get(asked["ResourceARN"], {}).pop(key, None)
        return {}

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:aws:xray:{self.region}:{ACCOUNT_ID}:{kind}/{name}"
