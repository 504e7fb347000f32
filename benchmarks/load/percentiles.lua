-- What wrk found, as one line of JSON; its own output has no 95th percentile.
done = function(summary, latency, requests)
  io.write(string.format('{"rate": %f, "p50": %f, "p95": %f, "p99": %f}\n',
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
