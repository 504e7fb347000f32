"""`locust -f loadtests/locustfile.py --host https://staging.shop.example`: with the web UI, headless, master, worker.

A team's own locustfile looks the same: its subclass of OpenUser, the shape, and `wire()`.
"""

from __future__ import annotations

import sys
from pathlib import Path

# locust puts the locustfile's directory on the path, which is this package and not what holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtests.customers import ShopCustomer
from loadtests.shape import ProfileShape
from loadtests.wiring import wire

__all__ = ["ProfileShape", "ShopCustomer"]

wire()
