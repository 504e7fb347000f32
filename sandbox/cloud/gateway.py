"""API Gateway: a custom domain that is available and has an address.

Corrects moto 5.2.5: a domain's configurations have no status, so nobody can wait for it, and no name or zone to which a
record could point; and a domain that asks for no client certificates is described as one that does. (No request is
carried: see docs/emulated.md.)
"""

from __future__ import annotations

import functools
import uuid
from typing import Any

from moto.apigatewayv2.models import DomainName

# The zone of regional domains in us-east-1. Source: AWS General Reference, "Amazon API Gateway endpoints and quotas".
_HOSTED_ZONE_ID = "Z1UJRXOUMOOFQ8"


@functools.cache
def install() -> None:
    """Correct moto for this process, once."""
    begin = DomainName.__init__

    @functools.wraps(begin)
    def begin_and_complete(self: Any, *positional: Any, **named: Any) -> None:
        begin(self, *positional, **named)
        self.mutual_tls_authentication = self.mutual_tls_authentication or None
        region = self.domain_name_arn.split(":")[3]
        self.domain_name_configurations = [
            {
                "apiGatewayDomainName": f"d-{uuid.uuid4().hex[:10]}.execute-api.{region}.amazonaws.com",
                "domainNameStatus": "AVAILABLE",
                "hostedZoneId": _HOSTED_ZONE_ID,
                "ipAddressType": "ipv4",
                **given,
            }
            for given in self.domain_name_configurations
        ]

    domain: Any = DomainName
    domain.__init__ = begin_and_complete
