"""Every fault that is planted outside the service is seen from outside, and gone after `clear`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import dns.message
import dns.query
import pytest
from sandbox_customer import Customer

from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.fixture import start_sandbox
from sandbox.processes import wait_until

_SECONDS = 10.0


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Roles reversed: blue is live."""
    with start_sandbox(name="faults", live="blue") as started:
        Customer(started).scale("green", 1)
        yield started


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """Without faults before and after."""
    yield running
    running.clear()
    wait_until(lambda: Customer(running).get().status == 200, _SECONDS, "a healthy service")


def tls_complaint(customer: Customer) -> str:
    """What a careful client says of the certificate, "" when it is content."""
    try:
        customer.connect().close()
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    return ""


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("expired", "certificate has expired"),
        ("wrong_host", "Hostname mismatch"),
        ("self_signed", "self-signed certificate"),
        ("incomplete_chain", "unable to get local issuer certificate"),
        ("weak_key", "EE certificate key too weak"),
    ],
)
def test_bad_certificates_are_served(sandbox: Sandbox, kind: str, complaint: str) -> None:
    """A client that checks complains of exactly this, and not after `clear`."""
    customer = Customer(sandbox)
    sandbox.fault("edge", certificate=kind)
    wait_until(lambda: complaint in tls_complaint(customer), _SECONDS, complaint)
    sandbox.clear()

    wait_until(lambda: not tls_complaint(customer), _SECONDS, "a good certificate")


@pytest.mark.parametrize("kind", ["expires_29_days", "other"])
def test_other_certificates_differ_from_the_accounts(sandbox: Sandbox, kind: str) -> None:
    """Valid for a client, but not the one in ACM."""
    customer = Customer(sandbox)
    in_account = certificate(customer)
    sandbox.fault("edge", certificate=kind)

    wait_until(lambda: certificate(customer) != in_account, _SECONDS, "another certificate")
    assert tls_complaint(customer) == ""


def test_a_fault_of_the_account_is_told_by_aws_and_gone_after_clear(sandbox: Sandbox) -> None:
    """The root's second factor, which no call of AWS could take away."""
    iam = Customer(sandbox).client("iam")

    def enabled() -> int:
        return int(iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"])

    before = enabled()
    sandbox.fault("account", root_without_second_factor=True)
    during = enabled()
    sandbox.clear()

    assert (before, during, enabled()) == (1, 0, 1)


def certificate(customer: Customer) -> bytes:
    """The served certificate, DER."""
    connection = customer.connect()
    try:
        found = connection.sock.getpeercert(binary_form=True)  # type: ignore[union-attr]  # a TLS socket
        return found or b""
    finally:
        connection.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_old_tls_is_spoken_only_with_the_fault(sandbox: Sandbox) -> None:
    """TLS 1.0 is refused at rest."""
    customer = Customer(sandbox)
    context = ssl.create_default_context(cafile=customer.outputs["ca_file"])
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")

    def speaks() -> bool:
        try:
            customer.connect(context=context).close()
        except ssl.SSLError:
            return False
        return True

    assert not speaks()
    sandbox.fault("edge", tls_minimum="1.0")
    wait_until(speaks, _SECONDS, "TLS 1.0")


def test_redirect_off(sandbox: Sandbox) -> None:
    """Customers are served without TLS."""
    sandbox.fault("edge", redirect="off")

    wait_until(lambda: Customer(sandbox).get_plain("/health").status == 200, _SECONDS, "an answer without TLS")


def test_candidate_leak(sandbox: Sandbox) -> None:
    """The status page comes from the side without customers."""
    sandbox.fault("edge", candidate_leak=True)
    customer = Customer(sandbox)

    def leaks() -> bool:
        return customer.get("/api/v1/status").headers.get("x-slot") == "green"

    wait_until(leaks, _SECONDS, "the leak")
    assert customer.get("/health").headers["x-slot"] == "blue"


def test_drop_one(sandbox: Sandbox) -> None:
    """Exactly one request after the next weight change is lost."""
    sandbox.fault("edge", drop_one=True)
    customer = Customer(sandbox)
    arns = customer.outputs["target_group_arns"]
    groups = [{"TargetGroupArn": arns["blue"], "Weight": 99}, {"TargetGroupArn": arns["green"], "Weight": 1}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    customer.client("elbv2").modify_rule(RuleArn=customer.outputs["rule_arn"], Actions=[action])

    assert [customer.get().status for _ in range(5)].count(502) == 1
    customer.set_weights(100)


def test_security_headers_strip(sandbox: Sandbox) -> None:
    """The service sends HSTS, the customer does not get it."""
    customer = Customer(sandbox)
    assert "strict-transport-security" in customer.get().headers
    sandbox.fault("edge", security_headers_strip=True)

    wait_until(lambda: "strict-transport-security" not in customer.get().headers, _SECONDS, "missing HSTS")


@pytest.mark.parametrize(("slot", "fault"), [("database", "stopped"), ("database", "read_only"), ("cache", "stopped")])
def test_stopped_servers_are_noticed_by_the_service(sandbox: Sandbox, slot: str, fault: str) -> None:
    """Really stopped: /health tells, and recovers after `clear`."""
    customer = Customer(sandbox)
    sandbox.fault(slot, **{fault: True})

    wait_until(lambda: slot.encode() in customer.get("/health").body, _SECONDS, f"/health naming {slot}")


def dns_answers(sandbox: Sandbox, name: str, kind: str) -> str:
    """The answer section as text."""
    address, port = sandbox.outputs["dns_server"].split(":")
    response = dns.query.udp(dns.message.make_query(name, kind), address, port=int(port), timeout=5)
    return " ".join(str(answer) for answer in response.answer)


@pytest.mark.parametrize(
    ("fault", "name", "kind", "expected"),
    [
        ("wrong_target", "api.shop.example", "A", "127.255.255.254"),
        ("long_ttl", "api.shop.example", "A", " 86400 "),
        ("caa_forbids", "shop.example", "CAA", "other-authority.example"),
    ],
)
def test_dns_faults(sandbox: Sandbox, fault: str, name: str, kind: str, expected: str) -> None:
    """Seen by whoever asks the responder."""
    assert expected not in dns_answers(sandbox, name, kind)
    sandbox.fault("dns", **{fault: True})

    assert expected in dns_answers(sandbox, name, kind)


def test_foreign_write_moves_customers_once(sandbox: Sandbox) -> None:
    """Somebody else's ModifyRule, shown as such in the operation log."""
    before = len(sandbox.operations())
    sandbox.fault("cloud", foreign_write=40)

    assert sandbox.status()["weights"] == {"blue": 60, "green": 40}
    written = [one for one in sandbox.operations() if one["operation"] == "ModifyRule"]
    assert (written[-1]["client"], len(sandbox.operations()) > before) == ("somebody-else", True)
    Customer(sandbox).set_weights(100)


def test_stable_scaled_to(sandbox: Sandbox) -> None:
    """Somebody else scales the live side."""
    sandbox.fault("cloud", stable_scaled_to=3)

    wait_until(lambda: sandbox.status()["slots"]["blue"]["running"] == 3, _SECONDS, "a third task")
    sandbox.fault("cloud", stable_scaled_to=2)


def test_alerts_reach_the_mailbox(sandbox: Sandbox) -> None:
    """What is published to the topic arrives with subject and text."""
    customer = Customer(sandbox)
    topic = customer.outputs["alert_topic_arn"]
    customer.client("sns").publish(TopicArn=topic, Subject="rollback", Message="blue is ill")

    found = wait_until(sandbox.mail, _SECONDS, "a letter")
    assert (found[-1]["subject"], found[-1]["message"]) == ("rollback", "blue is ill")


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(lambda sandbox: sandbox.fault("blue", nonsense=1), id="unknown fault"),
        pytest.param(lambda sandbox: sandbox.clock(0), id="clock stopped"),
    ],
)
def test_mistakes_have_a_remedy(sandbox: Sandbox, mistake: Callable[[Sandbox], None]) -> None:
    """A typed error that says what to do."""
    with pytest.raises(SandboxError) as caught:
        mistake(sandbox)

    assert caught.value.remedy


def test_faults_are_listed_and_cleared(sandbox: Sandbox) -> None:
    """The status shows what is planted, and nothing after `clear`."""
    sandbox.fault("blue", error_rate=0.25)
    sandbox.fault("dns", long_ttl=True)
    assert sandbox.status()["faults"] == {"blue": {"error_rate": 0.25}, "dns": {"long_ttl": True}}
    sandbox.clear()

    assert sandbox.status()["faults"] == {}
