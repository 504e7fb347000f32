"""What locust's master and workers tell each other beyond locust's own messages."""

from __future__ import annotations

HELLO = "loadtests_hello"  # worker: {digest}
PARCEL = "loadtests_parcel"  # worker: {parcel, cpu_percent, in_flight}, the last: {parcel, came_seconds}
BROKEN = "loadtests_broken"  # worker: {sentence}
END = "loadtests_end"  # master: {}
REFUSED = "loadtests_refused"  # master: {sentence}
