-- What keeps a branch from being read, and what it is known by, is guarded as the runs are.
-- `row_sum` (rows.py) takes names and values.

ALTER TABLE holds ADD COLUMN checksum INTEGER;
ALTER TABLE pauses ADD COLUMN checksum INTEGER;
ALTER TABLE identities ADD COLUMN checksum INTEGER;

UPDATE holds SET checksum = row_sum(
    'connection', connection, 'reason', reason, 'who', who, 'since', since, 'until', until
);

UPDATE pauses SET checksum = row_sum('job', job);

UPDATE identities SET checksum = row_sum(
    'connection', connection, 'identity', identity, 'product', product, 'started', started,
    'first_seen', first_seen, 'last_seen', last_seen, 'other', other, 'other_since', other_since,
    'approved_by', approved_by, 'approved_at', approved_at, 'asked', asked, 'code', code,
    'other_code', other_code, 'other_code_since', other_code_since
);
