"""All that a control plane remembers, as bytes from which another one starts: moto's state and this package's own.

moto keeps its state in dictionaries at module level, by service, account and region. They are pickled together, since
services hold each other's objects (a load balancer its subnets). What pickle cannot write is written as what it is made
from. The bytes hold objects: load none that this user did not write (`sandbox.recorded.kept` sees to that).
"""

from __future__ import annotations

import io
import pickle
import threading
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict

from sandbox.errors import SandboxError

T = TypeVar("T")
_LOCK = type(threading.RLock())
_GONE = (pickle.UnpicklingError, AttributeError, ImportError, EOFError, IndexError, KeyError, TypeError, ValueError)


class MemoryUnreadable(SandboxError):
    """The bytes are no memory, or one of other code than is installed."""


class Memory:
    """What this package remembers beside moto, by service. Parts are made when they are first asked for."""

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}

    def of(self, service: str, make: Callable[[], T]) -> T:
        """The service's own part; the caller may keep it."""
        part: T = self._parts.setdefault(service, make()) if service not in self._parts else self._parts[service]
        return part

    def dump(self) -> bytes:
        """With moto's state as it is now. Nobody may change anything meanwhile."""
        buffer = io.BytesIO()
        used: list[Any] = list(BackendDict._instances)  # type: ignore[misc]  # generic in moto, of every kind here
        moto = {
            one.service_name: {account: (held.regions, dict(held)) for account, held in one.items()} for one in used
        }
        _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump((moto, self._parts))
        return buffer.getvalue()


def load_memory(content: bytes) -> Memory:
    """Give moto, which has to be empty, the state that was dumped. Raises MemoryUnreadable."""
    memory = Memory()
    try:
        moto, memory._parts = pickle.loads(content)
        accounts: dict[str, Any] = {service: get_backend(service) for service in moto}
    except _GONE as error:
        said = f"a kept account cannot be read, {type(error).__name__}: {error}"
        raise MemoryUnreadable(said, "Remove build/cache/accounts") from error
    for service, its in moto.items():
        for account, (regions, held) in its.items():
            # Told its regions, moto need not read the service's whole model for them: 30 MiB and 0.3 s in all.
            backends = accounts[service]
            backends[account] = AccountSpecificBackend(
                service, account, backend=backends.backend, use_boto3_regions=False, additional_regions=regions
            )
            backends[account].update(held)
    return memory


class _Pickler(pickle.Pickler):
    """Writes keys and certificates in DER, and what guards or indexes something as what it guards or indexes."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return _private_key, (
                obj.private_bytes(
                    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
            )
        if isinstance(obj, x509.Certificate):
            return _certificate, (obj.public_bytes(serialization.Encoding.DER),)
        if isinstance(obj, _LOCK):
            return threading.RLock, ()
        if isinstance(obj, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (dict(obj),)
        if isinstance(obj, dict) and type(obj).items is not dict.items and not isinstance(obj, OrderedDict):
            # Such a dictionary answers something else than it holds: S3's the newest of a key's versions.
            return _empty, (type(obj),), (vars(obj), list(dict.items(obj))), None, None, _fill
        if isinstance(obj, defaultdict) and not isinstance(obj.default_factory, type):
            return defaultdict, (_made_by(obj.default_factory), dict(obj))
        return NotImplemented


def _empty(kind: type[dict[Any, Any]]) -> dict[Any, Any]:
    return kind.__new__(kind)


def _fill(obj: dict[Any, Any], held: tuple[dict[str, Any], list[tuple[Any, Any]]]) -> None:
    attributes, items = held
    vars(obj).update(attributes)
    for key, value in items:
        dict.__setitem__(obj, key, value)


def _private_key(der: bytes) -> Any:
    return serialization.load_der_private_key(der, password=None)


def _certificate(der: bytes) -> Any:
    return x509.load_der_x509_certificate(der)


def _made_by(factory: Callable[[], Any] | None) -> type | None:
    """The type instead of a lambda that makes an empty one. Raises PicklingError for any other lambda."""
    if factory is None:
        return None
    made = factory()
    if made not in ({}, [], set()):
        raise pickle.PicklingError(f"a dictionary whose default is {made!r} cannot be written")
    return type(made)
