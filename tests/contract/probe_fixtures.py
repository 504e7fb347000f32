"""Fixtures of the probes' contract tests; a test module takes them by `pytest_plugins`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from probes.http import client
from tests.contract.probe_world import (
    Authorities,
    Serve,
    authorities,
    closed_port,
    endpoint_at,
    http_server,
    leaf,
    server_context,
)


@pytest.fixture(scope="session")
def loopback_ca(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """One root and intermediate for all tests."""
    return authorities(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def asking(loopback_ca: Authorities, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Serve], Any]:
    """`with asking(serve) as asker`: a client of a TLS server that answers with `serve`."""
    context: ssl.SSLContext = server_context(leaf(loopback_ca.below), tmp_path_factory.mktemp("key"))

    @contextmanager
    def opened(serve: Serve) -> Iterator[httpx.Client]:
        with (
            http_server(serve, context) as port,
            client(endpoint_at(port, loopback_ca.file), timeout_seconds=2.0) as asker,
        ):
            yield asker

    return opened


@pytest.fixture
def nobody(loopback_ca: Authorities) -> Iterator[httpx.Client]:
    """A client of a port that nobody listens on."""
    with client(endpoint_at(closed_port(), loopback_ca.file)) as asker:
        yield asker
