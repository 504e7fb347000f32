"""The WSGI application: finds the service, asks the faults, calls the handler, keeps the operation log.

Services that this package corrects are called directly; every other AWS service goes to moto as it is, some after a
correction of moto itself that is made when the service is first asked (importing all of them would cost a second).
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError
from moto.core.responses import BaseResponse
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app

from sandbox.cloud.api_faults import ApiError, error_of, render
from sandbox.cloud.operations import OperationLog
from sandbox.cloud.server import call
from sandbox.cloud.world import World

log = logging.getLogger(__name__)

Handlers = Mapping[str, Callable[[], BaseResponse]]
Corrections = Mapping[str, Callable[[], None]]
Answer = tuple[int, dict[str, str], bytes]
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/")
_SIGNING_NAMES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
_CLASSIC_ELB_VERSION = "2012-06-01"


class Api:
    """One lock around every call: a conditional write is atomic, and a reply tells of a finished change."""

    def __init__(
        self, world: World, handlers: Handlers, *, operations: OperationLog, corrections: Corrections | None = None
    ) -> None:
        self._world = world
        self._handlers = handlers
        self._corrections = dict(corrections or {})
        self._operations = operations
        self._moto = DomainDispatcherApplication(create_backend_app)

    @property
    def lock(self) -> threading.RLock:
        """Held around every call; who holds it calls undisturbed."""
        return self._world.lock

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        service = _service(environ)
        with self._world.lock:
            self._corrections.pop(service, _nothing)()
            handler = self._handlers.get(service)
            if handler is None or _is_classic_elb(service, environ):
                status, headers, body = self._forward(service, environ)
            else:
                status, headers, body = self._handle(service, handler(), environ=environ)
        phrase = HTTPStatus(status).phrase
        start_response(f"{status} {phrase}", list(headers.items()))
        return [body]

    def _handle(self, service: str, response: BaseResponse, *, environ: dict[str, Any]) -> Answer:
        request = BackendRequest(environ)
        operation = ""
        parameters: Mapping[str, Any] = {}
        try:
            response.setup_class(request, request.raw_url, request.headers)
            operation = str(response._get_action() or "")
            parameters = _plain(getattr(response, "params", {}))
            error = error_of(service, operation, value=self._world.faults.get("cloud", service))
            status, headers, body = render(response, error) if error else response.call_action()
        except ClientError as client_error:  # as moto's own server does
            status, headers, body = 400, {}, client_error.response["Error"]["Message"]
        except Exception:  # any bug of moto or ours must answer as AWS's InternalFailure, not hang up
            log.exception("%s %s failed", service, operation)
            status, headers, body = render(response, ApiError(500, "InternalFailure", f"{operation} failed; see log"))
        self._operations.record(
            service, operation, parameters=parameters, status=status, user_agent=request.headers.get("User-Agent", "")
        )
        return status, _texts(headers), body.encode() if isinstance(body, str) else body

    def _forward(self, service: str, environ: dict[str, Any]) -> Answer:
        request = BackendRequest(environ)
        operation, parameters = _operation_of(request), _parameters_of(request)
        environ["wsgi.input"].seek(0)
        try:
            line, headers, body = call(self._moto, environ)
        except Exception:  # a bug of moto must answer, not hang up: a client would try again for minutes
            log.exception("%s %s failed", service, operation)
            line, headers, body = "500 Internal Server Error", [], f"{service} {operation} failed; see log".encode()
        status = int(line.split(" ", 1)[0])
        self._operations.record(
            service, operation, parameters=parameters, status=status, user_agent=request.headers.get("User-Agent", "")
        )
        return status, dict(headers), body


def _nothing() -> None:
    """Most services need no correction."""


def _service(environ: Mapping[str, Any]) -> str:
    found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    name = found["service"] if found else ""
    return _SIGNING_NAMES.get(name, name)


def _is_classic_elb(service: str, environ: Mapping[str, Any]) -> bool:
    """Classic and application load balancers share a signing name; the API version tells them apart."""
    if service != "elbv2":
        return False
    body = environ["wsgi.input"]
    start = body.read(4096)
    body.seek(0)
    return f"Version={_CLASSIC_ELB_VERSION}".encode() in start


def _operation_of(request: Any) -> str:
    target = request.headers.get("X-Amz-Target")
    if target:
        return str(target).rsplit(".", 1)[-1]
    return str(request.form.get("Action") or request.args.get("Action") or f"{request.method} {request.path}")


def _parameters_of(request: Any) -> Mapping[str, Any]:
    if not request.headers.get("X-Amz-Target"):
        return {name: value for name, value in request.form.items() if name not in ("Action", "Version")}
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _plain(parameters: Any) -> Mapping[str, Any]:
    original = getattr(parameters, "original_dict", None)
    plain = original() if original else parameters
    return plain if isinstance(plain, Mapping) else {}


def _texts(headers: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers.items() if str(name).lower() != "status"}
