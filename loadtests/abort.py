"""Whether a run may end early, because a limit is already surely crossed. Pure; asked about once a second.

Two reasons hold: whatever is still to come, even if all of it were good, cannot bring the figure back; or the figure is
beyond the limit with so little doubt that a whole run of looking every second errs less than once in a million. A slow
maximum alone ends nothing: one answer says little, and the rest of the run tells what it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.checks import number
from loadtests.histogram import rank_of
from loadtests.tally import Tally
from loadtests.thresholds import Thresholds
from rollout.bounds import lower_bound

DOUBT = 1e-6  # of the whole run
_DOUBT_LEAST = 1e-12  # of one look: a double cannot tell 1 - 1e-16 from 1; ten hours of looks add 4e-8
REQUESTS_MIN = 200  # fewer are the start of something, not a run


def surely_crossed(
    seen: Tally, thresholds: Thresholds, *, requests_expected: int, look: int, workers_lost: Sequence[str] = ()
) -> str | None:
    """The sentence why the run cannot pass any more; None while it can.

    Args:
        seen: all names of the measured time so far; requests in flight are not held against it.
        requests_expected: how many the whole measured time may bring, at most.
        look: number of this look, from 1.
        workers_lost: sentences about workers that are gone.
    """
    assert look >= 1
    if workers_lost:
        return f"aborted: {'; '.join(workers_lost)}"
    if seen.missed > thresholds.missed_max:
        return f"aborted: {seen.missed} arrivals could not be sent, limit {thresholds.missed_max}"
    n = seen.ended + seen.missed
    if n < REQUESTS_MIN:
        return None
    # The doubts of all looks, 1 / (i * (i + 1)) of DOUBT each, add up to DOUBT.
    confidence = 1 - max(DOUBT / (look * (look + 1)), _DOUBT_LEAST)
    expected = max(requests_expected, n)
    slow = seen.at_or_over_common_limit + seen.missed
    failed = seen.failures + seen.missed
    limit = thresholds.p95_milliseconds_max
    if slow > expected - rank_of(0.95, expected) or lower_bound(slow, n, confidence) > 0.05:
        what = f"p95 of all requests has surely reached {number(limit)} ms"
        return f"aborted: {what}: {slow} of n={n} so far at or over it, {expected} expected"
    rate = thresholds.error_rate_percent_max
    if failed * 100 >= rate * expected or lower_bound(failed, n, confidence) * 100 > rate:
        return f"aborted: the error rate has surely reached {number(rate)} %: {failed} of n={n} so far failed"
    return None
