-- since: 1.0.0
-- requires: 0001
-- kind: expand
CREATE TABLE heartbeats (
    slot text PRIMARY KEY,
    version text NOT NULL,
    seen_at timestamptz NOT NULL
);
