"""Certificates and TLS as customers meet them."""

from __future__ import annotations

from pytest_bdd import then, when

from gate.observe import Observe
from probes import tls
from probes.account.balancer import certificate_pem, listener_certificate
from rehearsal.plugin import World
from rollout.model import Observation
from steps.observing import named


@when("a customer opens a TLS connection to the public address", target_fixture="presented")
def connect(place: World) -> tuple[Observation, ...]:
    declared = certificate_pem(place.account, listener_certificate(place.account, place.target.listener_arn))
    return tls.certificate(place.endpoint, declared_pem=declared)


@when("clients offer old protocols and weak ciphers to the public address", target_fixture="offered")
def offer(place: World) -> tuple[Observation, ...]:
    return (*tls.protocols(place.endpoint), *tls.ciphers(place.endpoint))


@then("the presented chain is complete and trusted")
def trusted(presented: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(presented, "tls.chain", "tls.verified"))


@then("the certificate names the host and is valid for at least 30 more days")
def named_and_valid(presented: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(presented, "tls.host_name", "tls.validity"))


@then("its key is at least RSA 2048 or P-256")
def strong_key(presented: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(presented, "tls.key"))


@then("it is the certificate that the listener declares")
def declared(presented: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(presented, "tls.declared"))


@then("only TLS 1.2 and TLS 1.3 are accepted")
def modern_only(offered: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(offered, "tls.protocols"))


@then("no weak cipher is accepted")
def no_weak_cipher(offered: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(offered, "tls.ciphers"))
