"""Makes moto's import quick, and keeps two control planes from sharing moto's module-level state.

moto 5.2.5 needs a second for what this sandbox never asks: it reads the instance type offerings of every region and
parses botocore's endpoint and service files again for each session. Importing this module imports moto.ec2 without
the former and with one cache for the latter, and leaves out the 1,300 machine images of each region.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import moto.utilities.utils as moto_utilities
from botocore import loaders
from moto.core.base_backend import BackendDict

_owner: list[object] = []
_lock = threading.Lock()


def _share_botocore_files() -> None:
    """One parsed copy of each botocore file for all sessions and for moto; nobody modifies them."""
    read = loaders.JSONFileLoader.load_file

    @functools.cache
    def load(path: str) -> Any:
        return read(loaders.JSONFileLoader(), path)

    def load_file(_self: loaders.JSONFileLoader, file_path: str) -> Any:
        return load(file_path)

    loaders.JSONFileLoader.load_file = load_file  # type: ignore[method-assign,assignment]  # botocore has no hook for it


@contextmanager
def _without_instance_offerings() -> Iterator[None]:
    load = moto_utilities.load_resource

    def load_resource(resource: str) -> Any:
        return [] if "instance_type_offerings" in resource else load(resource)

    moto_utilities.load_resource = load_resource
    try:
        yield
    finally:
        moto_utilities.load_resource = load


def claim_moto(owner: object) -> None:
    """Give moto's state, emptied, to one control plane. Raises RuntimeError while another one has it."""
    with _lock:
        if _owner:
            raise RuntimeError("one control plane per process: moto keeps its state in modules; stop the other first")
        _owner.append(owner)
        instances: list[Any] = BackendDict._instances  # type: ignore[misc]  # generic in moto, of every kind here
        used = list(instances)
        BackendDict.reset()
        for backends in used:
            backends.clear()  # resetting one service asks for another's, which comes into being again
        instances.clear()


def release_moto(owner: object) -> None:
    """The owner is done; another control plane may follow."""
    with _lock:
        if owner in _owner:
            _owner.clear()


os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # moto reads it when a region is first used
_share_botocore_files()
with _without_instance_offerings():
    import moto.ec2.models  # noqa: F401  # imported here for its side effects
