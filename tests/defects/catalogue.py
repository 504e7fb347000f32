"""All defects, and which of them a run plants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.defects import (
    catalogue_account,
    catalogue_code,
    catalogue_compliance,
    catalogue_engine,
    catalogue_infrastructure,
    catalogue_load,
    catalogue_plan,
    catalogue_record,
    catalogue_release,
    catalogue_world,
)
from tests.defects.model import Defect

DEFECTS: tuple[Defect, ...] = (
    *catalogue_world.DEFECTS,
    *catalogue_plan.DEFECTS,
    *catalogue_code.DEFECTS,
    *catalogue_infrastructure.DEFECTS,
    *catalogue_compliance.DEFECTS,
    *catalogue_account.DEFECTS,
    *catalogue_engine.DEFECTS,
    *catalogue_load.DEFECTS,
    *catalogue_record.DEFECTS,
    *catalogue_release.DEFECTS,
)

# A change below a path plants the defects of these controls (or families of controls).
_TOUCHES: Mapping[str, tuple[str, ...]] = {
    "probes/tls": ("PRE-03", "VAL-07"),
    "probes/certificates": ("PRE-03", "VAL-07"),
    "steps/certificates": ("PRE-03", "VAL-07"),
    "probes/dns": ("PRE-04",),
    "steps/names": ("PRE-04",),
    "probes/health": ("HEALTH-",),
    "probes/auth": ("API-02",),
    "probes/forgery": ("API-02",),
    "probes/openapi": ("API-01",),
    "steps/endpoints": ("HEALTH-", "API-"),
    "probes/header": ("VAL-08",),
    "steps/headers": ("VAL-08",),
    "probes/rate_limit": ("ARCH-03",),
    "probes/session": ("ARCH-11",),
    "rehearsal/findings/plan": ("PROC-10", "MET-02"),
    "rollout/plan_file": ("PROC-10", "MET-02"),
    "release.toml": ("PROC-10", "MET-02"),
    "rollout/judge": ("GATE-01", "GATE-02"),
    "rollout/bounds": ("GATE-01",),
    "rollout/trip": ("TRIG-",),
    "rollout/harm": ("TRIG-", "PROC-11"),
    "rollout/retreat": ("RB-",),
    "rollout/backward": ("RB-",),
    "rehearsal/findings/retreat": ("RB-", "MET-03"),
    "rehearsal/findings/stability": ("DUR-09", "DUR-10", "PROC-12"),
    "rehearsal/findings/canary": ("DUR-07",),
    "rehearsal/findings/candidate": ("PROC-04",),
    "rehearsal/findings/layout": ("IAC-",),
    "rehearsal/findings/variables": ("IAC-",),
    "rehearsal/findings/hosts": ("IAC-03",),
    "rehearsal/findings/policies": ("IAC-", "NET-", "CMP-", "DB-", "SEC-", "MON-", "ARCH-0", "ARCH-1", "PROC-03"),
    "rehearsal/compliance": ("PRE-09", "QG-05", "VAL-1"),
    "rehearsal/findings/compliance": ("PRE-09", "QG-05", "VAL-1"),
    "rehearsal/findings/inventory": ("PRE-01",),
    "rehearsal/findings/journal": ("ARCH-07",),
    "rehearsal/findings/loads": ("VAL-06",),
    "rehearsal/loads": ("QG-03", "VAL-0"),
    "rehearsal/performance": ("PRE-08", "PRE-14"),
    "probes/load_": ("QG-03", "PRE-08", "PRE-14"),
    "loadtests/": ("QG-03", "PRE-08"),
    "rehearsal/people": ("PRE-16", "PROC-01", "VAL-11"),
    "probes/compliance": ("PRE-09", "QG-05", "VAL-1"),
    "probes/change": ("PRE-16", "PROC-01"),
    "probes/attestation": ("PRE-16", "VAL-11"),
    "probes/account/inventory": ("PRE-01",),
    "probes/account/trail": ("ARCH-07",),
    "probes/account/detector": ("ARCH-09",),
    "policies/catalogue": ("QG-05",),
    "policies/suppressions": ("PRE-09",),
    "infrastructure/environments": ("IAC-", "NET-01"),
    "infrastructure/ansible": ("IAC-03",),
    "infrastructure/modules/networking": ("NET-", "ARCH-01", "ARCH-10"),
    "infrastructure/modules/compute": ("CMP-", "PROC-03"),
    "infrastructure/modules/database": ("DB-",),
    "infrastructure/modules/security": ("SEC-", "ARCH-08"),
    "infrastructure/modules/monitoring": ("MON-",),
    "probes/account/": ("IAC-02", "IAC-04", "NET-", "CMP-", "DB-", "SEC-", "MON-01", "ARCH-08", "ARCH-10", "PROC-03"),
    "probes/direct": ("ARCH-01",),
    "policies/rules": ("NET-", "CMP-", "DB-", "SEC-"),
}


def chosen(tenth: int, *, tenths: int, changed: Iterable[str]) -> tuple[Defect, ...]:
    """Every `tenths`-th defect from `tenth` on, and those whose controls the changed paths touch."""
    touched = tuple(
        control
        for path in changed
        for prefix, controls in _TOUCHES.items()
        if path.startswith(prefix)
        for control in controls
    )
    return tuple(
        defect
        for number, defect in enumerate(DEFECTS)
        if number % tenths == tenth or (touched and defect.control.startswith(touched))
    )
