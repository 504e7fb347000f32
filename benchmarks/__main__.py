"""All benchmarks, one after the other: `make bench`."""

import subprocess
import sys

NAMES = ("decide", "start", "shift", "rollback")

for name in NAMES:
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
