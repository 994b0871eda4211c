-- Who did what, each record chained to the one before by its hash. Only ever added to: whoever
-- changes it must first take these triggers away, and the chain tells nevertheless.

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    record   TEXT NOT NULL, -- JSON
    previous TEXT NOT NULL, -- hash of the record before
    hash     TEXT NOT NULL  -- SHA-256 of both
);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'a record of the audit is never changed');
END;

CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'a record of the audit is never deleted');
END;

-- OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
WHEN new.seq <= (SELECT max(seq) FROM audit)
BEGIN
    SELECT raise(ABORT, 'a record of the audit is added behind all others');
END;
