-- since: 1.1.0
-- requires: 0002
-- kind: expand
-- Nullable and without a default: the table is not rewritten, and version 1.0.0, which neither reads nor
-- writes the column, goes on as before.
ALTER TABLE items ADD COLUMN note text CHECK (char_length(note) <= 500);
