"""ACM: the certificate that was asked for is issued, by whoever is the authority here.

moto 5.2.5 makes a certificate up that nobody trusts, and calls it issued after a minute. A sandbox has an authority of
its own that its customers trust: what that one signs takes the place of the made-up one, under the same ARN.
"""

from __future__ import annotations

from moto.acm.models import AWS_ROOT_CA, CertBundle, acm_backends

from sandbox.cloud.world import ACCOUNT_ID, REGION


def issue(arn: str, *, certificate: bytes, chain: bytes, key: bytes) -> None:
    """Put a signed certificate (PEM) in the place of the one that was asked for. Raises KeyError for an unknown ARN."""
    held = acm_backends[ACCOUNT_ID][REGION]._certificates
    asked = held[arn]
    issued = CertBundle(
        ACCOUNT_ID,
        certificate,
        key,
        chain=chain or None,
        region=REGION,
        arn=arn,
        cert_type=asked.type,
        cert_status="ISSUED",
        cert_options=asked.cert_options,
    )
    issued.in_use_by, issued.tags = asked.in_use_by, asked.tags
    held[arn] = issued


def certificate(arn: str) -> tuple[bytes, bytes, bytes]:
    """PEM certificate, chain (empty if there is none) and private key. Raises KeyError for an unknown ARN."""
    bundle = acm_backends[ACCOUNT_ID][REGION]._certificates[arn]
    chain = bundle.chain.replace(AWS_ROOT_CA, b"").strip()  # moto appends Amazon's root to every chain
    return bundle.cert, chain + b"\n" if chain else b"", bundle.key
