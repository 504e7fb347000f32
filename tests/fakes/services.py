"""Two container services, in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollout.errors import BadInput
from rollout.seen import ServiceReading
from tests.fakes.faults import Faulty


@dataclass(frozen=True)
class Limits:
    """Autoscaling of one service."""

    minimum: int
    maximum: int
    scale_in: bool = True
    scale_out: bool = True


class FakeServices(Faulty):
    """Satisfies `ports.ServiceController`. Tasks start when a test calls `settle`; `limits` None: nobody scales."""

    def __init__(self, *, live: str = "green", image: str = "shop-api@sha256:" + "a" * 64, tasks: int = 2) -> None:
        super().__init__()
        self.revisions: list[str] = [image]  # revision n is entry n - 1
        self.services = {
            slot: ServiceReading(
                desired=tasks if slot == live else 0,
                running=tasks if slot == live else 0,
                pending=0,
                task_definition="shop-api:1",
                rollout_state="COMPLETED",
                image=image,
            )
            for slot in ("blue", "green")
        }
        self.limits: dict[str, Limits | None] = {"blue": Limits(2, 20), "green": Limits(2, 20)}
        self._usual: dict[str, Limits] = {}

    def settle(self, slot: str) -> None:
        """What was asked for is now running."""
        service = self.services[slot]
        self.services[slot] = replace(service, running=service.desired, pending=0, rollout_state="COMPLETED")

    def read(self, slot: str) -> ServiceReading:
        self._asked(f"read {slot}")
        return self._service(slot)

    def prepare(self, slot: str, *, image: str, desired: int, like: str) -> str:
        self._asked(f"prepare {slot} {desired}")
        if slot == like or "@sha256:" not in image:
            raise BadInput(f"{slot} cannot be prepared with {image} like {like}", hint="Name a digest and two slots.")
        if image not in self.revisions:
            self.revisions.append(image)
        revision = f"shop-api:{self.revisions.index(image) + 1}"
        service = self._service(slot)
        if service.task_definition != revision or service.desired < desired:
            changed = replace(service, task_definition=revision, image=image, desired=desired, failed_tasks=0)
            state = "COMPLETED" if service.task_definition == revision else "IN_PROGRESS"
            self.services[slot] = replace(changed, pending=max(desired - service.running, 0), rollout_state=state)
        self._hold(slot, desired)
        return revision

    def scale(self, slot: str, desired: int) -> None:
        self._asked(f"scale {slot} {desired}")
        service = self._service(slot)
        pending = max(desired - service.running, 0)
        self.services[slot] = replace(service, desired=desired, pending=pending)

    def hold_capacity(self, slot: str, minimum: int) -> None:
        self._asked(f"hold_capacity {slot} {minimum}")
        self._service(slot)
        self._hold(slot, minimum)

    def release_capacity(self, *, live: str, retired: str) -> None:
        self._asked(f"release_capacity {live} {retired}")
        present = self.limits[live]
        if present is not None:
            usual = self._usual.pop(live, present)
            self.limits[live] = Limits(usual.minimum, usual.maximum)
        given = self.limits[retired]
        if given is not None:
            self._remember(retired, given)
            self.limits[retired] = Limits(0, given.maximum, scale_in=False, scale_out=False)

    def _hold(self, slot: str, minimum: int) -> None:
        present = self.limits[slot]
        if present is None:
            return
        self._remember(slot, present)
        self.limits[slot] = Limits(max(minimum, present.minimum), max(minimum, present.maximum), scale_in=False)

    def _remember(self, slot: str, present: Limits) -> None:
        if present.minimum > 0:
            self._usual.setdefault(slot, present)

    def _service(self, slot: str) -> ServiceReading:
        if slot not in self.services:
            raise BadInput(f"there is no slot {slot!r}", hint="Slots are blue and green.")
        return self.services[slot]
