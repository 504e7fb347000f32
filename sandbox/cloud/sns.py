"""SNS over HTTP(S): delivered by a thread of the subscriber's own, with timeouts and retries.

Corrects moto 5.2.5, which posts within Publish and without a timeout: a dead subscriber makes Publish answer 500, a
hanging one blocks it for ever. It also sends no x-amz-sns-* headers and no message attributes.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.sns.models import Subscription, sns_backends
from moto.sns.responses import SNSResponse

from sandbox.cloud.errors import AwsError
from sandbox.cloud.world import World

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0
RETRY_WAITS_SECONDS = (0.2, 1.0, 3.0)  # real; SNS itself retries for an hour, a sandbox does not live that long
QUEUE_LENGTH_MAX = 1_000
_HTTP_PROTOCOLS = ("http", "https")


@dataclass(frozen=True)
class Letter:
    """One message for one subscriber. `body` makes the document when it is sent: signing it takes milliseconds."""

    message_id: str
    topic_arn: str
    subscription_arn: str
    body: Callable[[], Mapping[str, Any]]


class Courier:
    """Delivers to one endpoint, in order, in its own thread; another endpoint never waits for it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._queue: queue.Queue[Letter | None] = queue.Queue(QUEUE_LENGTH_MAX)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sns-courier", daemon=True)
        self._thread.start()

    def post(self, letter: Letter) -> None:
        """Take a letter; never blocks, drops it with a log line if a thousand are waiting already."""
        try:
            self._queue.put_nowait(letter)
        except queue.Full:
            log.warning("%s: too many messages waiting, %s dropped", self.endpoint, letter.message_id)

    def stop(self) -> None:
        self._stopped.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            log.debug("%s: stopping with a full queue", self.endpoint)

    def _run(self) -> None:
        while not self._stopped.is_set():
            letter = self._queue.get()
            if letter is not None:
                self._deliver(letter)

    def _deliver(self, letter: Letter) -> None:
        document = json.dumps(letter.body()).encode()
        for wait in (*RETRY_WAITS_SECONDS, None):
            if self._send(letter, document) or wait is None or self._stopped.wait(wait):
                return

    def _send(self, letter: Letter, document: bytes) -> bool:
        """Whether the subscriber took it. A 4xx is final, as SNS treats it."""
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": "Notification",
            "x-amz-sns-message-id": letter.message_id,
            "x-amz-sns-topic-arn": letter.topic_arn,
            "x-amz-sns-subscription-arn": letter.subscription_arn,
        }
        request = urllib.request.Request(self.endpoint, data=document, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
                return True
        except urllib.error.HTTPError as error:
            log.info("%s answered %d", self.endpoint, error.code)
            return 400 <= error.code < 500 and error.code != 429
        except (OSError, ValueError) as error:
            log.info("%s not reached: %s", self.endpoint, error)
            return False


class Notifications:
    """The account's couriers and the way in for alarms."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._couriers: dict[str, Courier] = {}

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        """Publish from inside the account (an alarm's action). Raises AwsError as the API would."""
        if self._world.faults.get("cloud", "sns") in ("down", "throttled", "denied"):
            raise AwsError("ServiceUnavailable", "SNS is not available")
        if ":sns:" not in topic_arn:
            raise AwsError("ValidationError", f"only SNS actions are executed here, not {topic_arn}")
        _, _, _, region, account, _ = topic_arn.split(":", 5)
        sns_backends[account][region].publish(message, arn=topic_arn, subject=subject)

    def adopt(self, subscription: Subscription) -> None:
        """Deliver this subscription through a courier from now on; other protocols stay moto's."""
        if subscription.protocol not in _HTTP_PROTOCOLS:
            return
        courier = self._couriers.get(subscription.endpoint)
        if courier is None:
            courier = self._couriers[subscription.endpoint] = Courier(subscription.endpoint)
        subscription.publish = _publisher(subscription, courier)  # type: ignore[method-assign]  # of this one only

    def stop(self) -> None:
        for courier in self._couriers.values():
            courier.stop()


def _publisher(subscription: Subscription, courier: Courier) -> Callable[..., None]:
    def publish(
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        **_more: Any,
    ) -> None:
        matcher = subscription._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        courier.post(
            Letter(
                message_id=message_id,
                topic_arn=subscription.topic.arn,
                subscription_arn=subscription.arn,
                body=lambda: subscription.get_post_data(message, message_id, subject, message_attributes),
            )
        )

    return publish


class SnsApi(SNSResponse):
    """The API handler; one instance per call."""

    def __init__(self, notifications: Notifications) -> None:
        super().__init__()
        self._notifications = notifications

    def subscribe(self) -> ActionResult:
        result = super().subscribe()
        topic, endpoint, protocol = (self._get_param(name) for name in ("TopicArn", "Endpoint", "Protocol"))
        subscription = self.backend._find_subscription(topic, endpoint, protocol)
        if subscription is not None:
            self._notifications.adopt(subscription)
        return result
