"""DNS names as the zone declares them and as a resolver answers them."""

from __future__ import annotations

from pytest_bdd import then, when

from gate.observe import Observe
from rehearsal.plugin import World
from rehearsal.zone_view import ZoneView, look_at_zone


@when("the hosted zone and a resolver are asked for the public name", target_fixture="zone")
def ask_zone(place: World) -> ZoneView:
    return look_at_zone(place)


@then("both lead to the load balancer under release")
def lead_to_balancer(zone: ZoneView, observe: Observe) -> None:
    observe.add(*zone.leading)


@then("the records expire within 300 seconds or are aliases")
def expire_soon(zone: ZoneView, observe: Observe) -> None:
    observe.add(*zone.lifetimes)


@then("no record of the zone leads nowhere")
def none_dangling(zone: ZoneView, observe: Observe) -> None:
    observe.add(*zone.dangling)


@then("the certificate covers the names and its issuer is allowed")
def covered(zone: ZoneView, observe: Observe) -> None:
    observe.add(*zone.certificate)
