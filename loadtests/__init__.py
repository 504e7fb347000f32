"""Load tests that engineers run with locust: an open workload, exact percentiles, a gate."""
