"""What an ECR lifecycle policy would expire, computed from its rules and the images that exist.

Source: ECR user guide, lifecycle policy evaluation: rules by priority; an image that a rule selects by its tags is
seen by no later rule; `imageCountMoreThan` keeps the newest, `sinceImagePushed` the young. AWS's own preview is a call
that writes, which no check may make.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

Image = Mapping[str, Any]
_DAY_SECONDS = 86_400.0


def expired(policy: str, images: Sequence[Image], *, now: float | None = None) -> frozenset[str]:
    """Digests that the policy (JSON text) expires. Images as DescribeImages gives them.

    Raises KeyError or ValueError for a rule that is not understood: nothing is guessed to survive.
    """
    moment = time.time() if now is None else now
    left = sorted(images, key=lambda one: -_pushed(one))
    gone: set[str] = set()
    for rule in sorted(json.loads(policy)["rules"], key=lambda one: int(one["rulePriority"])):
        if rule["action"]["type"] != "expire":
            raise ValueError(f"an action {rule['action']['type']!r} is not known")
        selected = [one for one in left if _selects(rule["selection"], one)]
        gone |= {str(one["imageDigest"]) for one in _over(rule["selection"], selected, now=moment)}
        left = [one for one in left if one not in selected]
    return frozenset(gone)


def _pushed(image: Image) -> float:
    pushed: datetime = image["imagePushedAt"]
    return pushed.timestamp()


def _selects(selection: Mapping[str, Any], image: Image) -> bool:
    tags = image.get("imageTags") or ()
    status = selection["tagStatus"]
    if status == "any":
        return True
    if status == "untagged":
        return not tags
    if status != "tagged":
        raise ValueError(f"a tag status {status!r} is not known")
    prefixes, patterns = selection.get("tagPrefixList") or (), selection.get("tagPatternList") or ()
    if prefixes:
        return all(any(tag.startswith(prefix) for tag in tags) for prefix in prefixes)
    return bool(patterns) and all(any(fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns)


def _over(selection: Mapping[str, Any], images: Sequence[Image], *, now: float) -> Sequence[Image]:
    """Those of the selected images, newest first, that are too many or too old."""
    kind, number = selection["countType"], int(selection["countNumber"])
    if kind == "imageCountMoreThan":
        return images[number:]
    if kind == "sinceImagePushed" and selection["countUnit"] == "days":
        return [one for one in images if now - _pushed(one) > number * _DAY_SECONDS]
    raise ValueError(f"a count type {kind!r} is not known")
