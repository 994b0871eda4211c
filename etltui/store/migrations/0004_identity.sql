-- Which database each connection is known to be.

CREATE TABLE identities (
    connection  TEXT PRIMARY KEY,
    identity    TEXT NOT NULL,
    product     TEXT NOT NULL,
    started     TEXT NOT NULL,
    first_seen  REAL NOT NULL,
    last_seen   REAL NOT NULL,
    other       TEXT NOT NULL, -- what answers in its stead and is not approved; empty: nothing does
    other_since REAL NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at REAL NOT NULL
);
