"""GuardDuty: findings, which nobody but a fault makes, and a detector that a fault suspends.

Corrects moto 5.2.5, which has no ListFindings and no GetFindings. Every enabled detector has the one finding of the
fault `high_finding` while it is planted, and none otherwise: nothing is detected here, see docs/emulated.md.
Source: GuardDuty API reference, ListFindings (FindingCriteria) and GetFindings; user guide, severity levels.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.guardduty.responses import GuardDutyResponse

from sandbox.cloud.world import ACCOUNT_ID, World

Finding = Mapping[str, Any]
SEVERITY = 8.0  # high is 7.0 to 8.9
_TYPE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
_FINDINGS_PER_CALL_MAX = 50
_NUMBERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "greaterThan": operator.gt,
    "gte": operator.ge,
    "greaterThanOrEqual": operator.ge,
    "lt": operator.lt,
    "lessThan": operator.lt,
    "lte": operator.le,
    "lessThanOrEqual": operator.le,
}


class _BadRequest(JsonRESTError):
    """What GuardDuty answers to a request that it does not understand."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", f"The request is rejected because {message}.")

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        return [("X-Amzn-ErrorType", "BadRequestException")]


class GuardDutyApi(GuardDutyResponse):
    """The API handler; one instance per call. Faults are the slot account's: high_finding, detector_suspended."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def get_detector(self) -> str:
        detector = json.loads(super().get_detector())
        return json.dumps(detector | ({"status": "DISABLED"} if self._suspended() else {}))

    def list_findings(self) -> str:
        """Ids of the findings that meet every criterion; all of them without one."""
        detector_id = self._detector_id()
        criteria = (self._get_param("findingCriteria") or {}).get("criterion") or {}
        ids = [one["id"] for one in self._findings(detector_id) if _meets(one, criteria)]
        return json.dumps({"findingIds": ids, "nextToken": ""})

    def get_findings(self) -> str:
        """The named findings in full; an id that is none is left out, as GuardDuty does."""
        ids = self._get_param("findingIds") or []
        if len(ids) > _FINDINGS_PER_CALL_MAX:
            raise _BadRequest(f"the parameter findingIds has more than {_FINDINGS_PER_CALL_MAX} members")
        found = [one for one in self._findings(self._detector_id()) if one["id"] in ids]
        return json.dumps({"findings": found})

    def _detector_id(self) -> str:
        """Of /detector/<id>/findings[/get]."""
        return str(self.path.split("/")[2])

    def _suspended(self) -> bool:
        return bool(self._world.faults.get("account", "detector_suspended"))

    def _findings(self, detector_id: str) -> Sequence[Finding]:
        detector = self.guardduty_backend.get_detector(detector_id)  # raises for one that is not the account's
        planted = self._world.faults.get("account", "high_finding")
        if not planted or not detector.enabled:
            return ()
        return (_finding(detector_id, region=self.region, now=self._world.clock.now()),)


def _finding(detector_id: str, *, region: str, now: float) -> Finding:
    finding_id = hashlib.sha256(detector_id.encode()).hexdigest()[:32]
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "accountId": ACCOUNT_ID,
        "arn": f"arn:aws:guardduty:{region}:{ACCOUNT_ID}:detector/{detector_id}/finding/{finding_id}",
        "createdAt": moment,
        "updatedAt": moment,
        "description": "Credentials of a task were used from outside of AWS.",
        "id": finding_id,
        "partition": "aws",
        "region": region,
        "resource": {"resourceType": "AccessKey"},
        "schemaVersion": "2.0",
        "service": {
            "archived": False,
            "count": 1,
            "detectorId": detector_id,
            "eventFirstSeen": moment,
            "eventLastSeen": moment,
            "serviceName": "guardduty",
        },
        "severity": SEVERITY,
        "title": "Credentials of a task were used from outside of AWS",
        "type": _TYPE,
    }


def _meets(finding: Finding, criteria: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(_holds(_field(finding, path), condition) for path, condition in criteria.items())


def _field(finding: Finding, path: str) -> Any:
    """The value at a dotted path such as service.archived."""
    value: Any = finding
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            raise _BadRequest(f"{path} is no attribute that findings here have")
        value = value[name]
    return value


def _holds(value: Any, condition: Mapping[str, Any]) -> bool:
    """GuardDuty compares texts, and true and false as such ("true")."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    for name, limit in condition.items():
        if name in ("equals", "eq", "notEquals", "neq"):
            if (text in limit) is name.startswith("n"):
                return False
        elif name not in _NUMBERS:
            raise _BadRequest(f"{name} is no condition")
        elif not _NUMBERS[name](value, limit):
            return False
    return True
