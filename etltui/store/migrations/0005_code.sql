-- By which code in its own data each connection is known.

ALTER TABLE identities ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN other_code TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN other_code_since REAL NOT NULL DEFAULT 0;
