"""Alerts to people, by SNS. Satisfies `ports.Alerts`. At least once: a repeated alert carries the same identity.

Source: SNS API reference, Publish: subjects are ASCII, up to 100 characters, without line breaks; messages up to
256 KiB; FIFO topics drop a repeated MessageDeduplicationId for five minutes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rollout.adapters.clients import Clients, asking
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

SUBJECT_LENGTH_MAX = 100
TEXT_BYTES_MAX = 200_000  # leaves room for attributes and for what receivers wrap around it


class SnsAlerts:
    """Publishes to `target.alert_topic_arn`."""

    def __init__(self, clients: Clients, target: Target) -> None:
        self._clients, self._target = clients, target

    def send(self, *, identity: str, subject: str, text: str) -> None:
        """Publish one alert; `identity` is the message attribute `identity`. Raises SourceError."""
        topic = self._target.alert_topic_arn
        message: PublishInputTypeDef = {
            "TopicArn": topic,
            "Subject": subject_line(subject),
            "Message": text.encode()[:TEXT_BYTES_MAX].decode(errors="ignore") or subject_line(subject),
            "MessageAttributes": {"identity": {"DataType": "String", "StringValue": identity}},
        }
        if topic.endswith(".fifo"):
            message["MessageDeduplicationId"] = hashlib.sha256(identity.encode()).hexdigest()
            message["MessageGroupId"] = self._target.environment
        with asking("sns", topic):
            self._clients.sns.publish(**message)


def subject_line(subject: str) -> str:
    """What SNS takes as a subject: printable ASCII, 100 characters, never empty."""
    line = " ".join(subject.split())
    ascii_only = "".join(letter if " " <= letter <= "~" else "?" for letter in line)
    return ascii_only[:SUBJECT_LENGTH_MAX].strip() or "release-gates"
