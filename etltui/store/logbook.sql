-- Statements of what is written down beside the runs, by their names.

-- name: put_sample
INSERT INTO samples VALUES (
    :at, :lent, :idle, :open, :waiting, :max_connections, :pending, :running, :completed, :failed,
    :connections_active, :rows_per_s, :cpu_percent, :memory, :threshold, :lag_ms
)
ON CONFLICT (at) DO NOTHING;

-- The minutes that samples from a time on belong to, added up anew.
-- name: put_minutes
INSERT OR REPLACE INTO minutes
SELECT
    CAST(at / 60 AS INTEGER) * 60,
    avg(lent), avg(idle), avg(open), max(waiting), avg(max_connections), avg(pending),
    avg(running), sum(completed), sum(failed), avg(connections_active), avg(rows_per_s),
    avg(cpu_percent), max(memory), avg(threshold), max(lag_ms)
FROM samples
WHERE at >= CAST(:at / 60 AS INTEGER) * 60
GROUP BY 1;

-- name: samples
SELECT
    min(at) AS at,
    avg(lent) AS lent, avg(idle) AS idle, avg(open) AS open, max(waiting) AS waiting,
    avg(max_connections) AS max_connections, avg(pending) AS pending, avg(running) AS running,
    sum(completed) AS completed, sum(failed) AS failed,
    avg(connections_active) AS connections_active, avg(rows_per_s) AS rows_per_s,
    avg(cpu_percent) AS cpu_percent, max(memory) AS memory, avg(threshold) AS threshold,
    max(lag_ms) AS lag_ms
FROM (
    SELECT * FROM samples WHERE NOT :coarse AND at >= :since AND at < :until
    UNION ALL
    SELECT * FROM minutes WHERE :coarse AND at >= :since AND at < :until
)
GROUP BY CAST((at - :since) / :width AS INTEGER)
ORDER BY 1;

-- name: sampled
SELECT
    (SELECT min(at) FROM samples) AS fine,
    (SELECT min(at) FROM minutes WHERE at >= :since) AS coarse;

-- name: put_action
INSERT INTO actions (at, who, what, target, detail, outcome)
VALUES (:at, :who, :what, :target, :detail, :outcome);

-- name: actions
SELECT * FROM actions WHERE at >= :since ORDER BY at DESC, rowid DESC LIMIT :limit;

-- name: put_hold
INSERT INTO holds (connection, reason, who, since, until, checksum)
VALUES (:connection, :reason, :who, :since, :until, :checksum)
ON CONFLICT (connection) DO UPDATE SET
    reason = excluded.reason, who = excluded.who, since = excluded.since, until = excluded.until,
    checksum = excluded.checksum;

-- name: drop_hold
DELETE FROM holds WHERE connection = :connection;

-- name: holds
SELECT * FROM holds ORDER BY connection;

-- name: put_identity
INSERT OR REPLACE INTO identities (
    connection, identity, product, started, first_seen, last_seen, other, other_since,
    approved_by, approved_at, asked, code, other_code, other_code_since, checksum
)
VALUES (
    :connection, :identity, :product, :started, :first_seen, :last_seen, :other, :other_since,
    :approved_by, :approved_at, :asked, :code, :other_code, :other_code_since,
    :checksum
);

-- name: identities
SELECT * FROM identities ORDER BY connection;

-- name: put_outcome
INSERT OR REPLACE INTO outcomes (run, connection, job, at, status, rows, seconds, far, error_class)
SELECT :run, :connection, job, :at, :status, :rows, :seconds, '', :error_class
FROM runs WHERE run = :run;

-- name: put_far
UPDATE outcomes SET far = :far WHERE run = :run AND connection = :connection;

-- name: outcomes
SELECT
    run, connection, job, at, status, rows, seconds, far, nullif(error_class, '') AS error_class
FROM outcomes WHERE at >= :since ORDER BY at;

-- name: outcomes_of
SELECT
    run, connection, job, at, status, rows, seconds, far, nullif(error_class, '') AS error_class
FROM outcomes WHERE connection = :connection ORDER BY at DESC LIMIT :limit;

-- name: drop_samples
DELETE FROM samples WHERE at < :until;

-- name: drop_minutes
DELETE FROM minutes WHERE at < :until;

-- name: drop_actions
DELETE FROM actions WHERE at < :until;

-- name: drop_holds_over
DELETE FROM holds WHERE until > 0 AND until <= :until;

-- name: runs_last
SELECT * FROM runs
WHERE rowid IN (SELECT max(rowid) FROM runs WHERE status <> 'queued' GROUP BY job)
ORDER BY rowid DESC;
