-- since: 1.0.0
-- requires: none
-- kind: expand
CREATE TABLE items (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    quantity integer NOT NULL CHECK (quantity BETWEEN 0 AND 1000000),
    price_cents bigint NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000000),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX items_by_owner ON items (owner, created_at, id);
