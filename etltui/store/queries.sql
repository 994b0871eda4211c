-- Every statement of the store by its name. Values come by name; a row is written whole.

-- name: put_run
INSERT INTO runs
    (run, job, title, status, plan_hash, attempt, total, started, ended, reason, result, checksum)
VALUES
    (:run, :job, :title, :status, :plan_hash, :attempt, :total, :started, :ended, :reason,
     :result, :checksum)
ON CONFLICT (run) DO UPDATE SET
    job = excluded.job, title = excluded.title, status = excluded.status,
    plan_hash = excluded.plan_hash, attempt = excluded.attempt, total = excluded.total,
    started = excluded.started, ended = excluded.ended, reason = excluded.reason,
    result = excluded.result, checksum = excluded.checksum;

-- name: put_plan
INSERT INTO plans (run, plan, checksum) VALUES (:run, :plan, :checksum)
ON CONFLICT (run) DO UPDATE SET plan = excluded.plan, checksum = excluded.checksum;

-- name: put_connection
INSERT INTO run_connections (run, number, connection, hash, result, parts, checksum)
VALUES (:run, :number, :connection, :hash, :result, :parts, :checksum)
ON CONFLICT (run, connection) DO UPDATE SET
    number = excluded.number, hash = excluded.hash, result = excluded.result,
    parts = excluded.parts, checksum = excluded.checksum;

-- name: insert_part
INSERT INTO parts (run, destination, variant, connection, query, segment, receipt, checksum)
VALUES (:run, :destination, :variant, :connection, :query, :segment, :receipt, :checksum);

-- name: put_publication
INSERT INTO publications
    (run, destination, target, temporary, state, bytes, crc, rows, members, checksum)
VALUES
    (:run, :destination, :target, :temporary, :state, :bytes, :crc, :rows, :members, :checksum)
ON CONFLICT (run, destination) DO UPDATE SET
    target = excluded.target, temporary = excluded.temporary, state = excluded.state,
    bytes = excluded.bytes, crc = excluded.crc, rows = excluded.rows,
    members = excluded.members, checksum = excluded.checksum;

-- name: put_queued
INSERT INTO queue
    (run, job, type, priority, submitted, not_before, owner, ask, tries, keep, taken, checksum)
VALUES
    (:run, :job, :type, :priority, :submitted, :not_before, :owner, :ask, :tries, :keep, :taken,
     :checksum)
ON CONFLICT (run) DO UPDATE SET
    job = excluded.job, type = excluded.type, submitted = excluded.submitted,
    priority = excluded.priority, not_before = excluded.not_before, owner = excluded.owner,
    ask = excluded.ask, tries = excluded.tries, keep = excluded.keep, taken = excluded.taken,
    checksum = excluded.checksum;

-- name: drop_queued
DELETE FROM queue WHERE run = :run;

-- name: put_pause
INSERT INTO pauses (job, checksum) VALUES (:job, :checksum)
ON CONFLICT (job) DO UPDATE SET checksum = excluded.checksum;

-- name: drop_pause
DELETE FROM pauses WHERE job = :job;

-- name: put_live
INSERT INTO live (id, at, snapshot) VALUES (1, :at, :snapshot)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, snapshot = excluded.snapshot;

-- name: drop_run
DELETE FROM runs WHERE run = :run;

-- name: drop_connection
DELETE FROM run_connections WHERE run = :run AND connection = :connection;

-- name: drop_parts
DELETE FROM parts WHERE run = :run AND connection = :connection;

-- name: run
SELECT * FROM runs WHERE run = :run;

-- The newest is the one recorded last: clocks jump, row numbers do not.
-- name: runs
SELECT * FROM runs
WHERE :job IN ('', job) AND started >= :since
  AND (:statuses = '' OR instr(:statuses, ',' || status || ','))
ORDER BY rowid DESC LIMIT :limit;

-- A run that ended before it had a plan left nothing to take up.
-- name: runs_planned
SELECT * FROM runs WHERE job = :job AND plan_hash <> '' ORDER BY rowid DESC LIMIT 1;

-- One that waits in the queue is taken up without anybody asking.
-- name: runs_crashed
SELECT * FROM runs
WHERE status = 'stopped' AND reason = :reason AND plan_hash <> ''
  AND rowid = (SELECT max(rowid) FROM runs AS other WHERE other.job = runs.job AND plan_hash <> '')
  AND run NOT IN (SELECT run FROM queue)
ORDER BY rowid DESC;

-- name: runs_named
SELECT * FROM runs
WHERE substr(run, -length(:text)) = :text COLLATE NOCASE
   OR substr(run, 1, length(:text)) = :text COLLATE NOCASE
LIMIT 2;

-- name: runs_open
SELECT * FROM runs WHERE status IN ('queued', 'running', 'publishing');

-- What may go on: of each job the newest that has begun, whatever waits, whatever is under way.
-- name: runs_marked
SELECT run FROM runs
WHERE status NOT IN ('completed', 'discarded')
  AND (
      status IN ('queued', 'running', 'publishing')
      OR run IN (SELECT run FROM queue)
      OR rowid IN (SELECT max(rowid) FROM runs WHERE status <> 'queued' GROUP BY job)
  );

-- name: plan
SELECT * FROM plans WHERE run = :run;

-- name: connections
SELECT * FROM run_connections WHERE run = :run ORDER BY number;

-- name: connection
SELECT * FROM run_connections WHERE run = :run AND connection = :connection;

-- name: parts
SELECT parts.* FROM parts LEFT JOIN run_connections AS place USING (run, connection)
WHERE parts.run = :run
ORDER BY place.number, parts.query, parts.destination, parts.variant, parts.segment;

-- name: publication
SELECT * FROM publications WHERE run = :run AND destination = :destination;

-- name: publications
SELECT * FROM publications WHERE run = :run ORDER BY destination;

-- name: publications_open
SELECT * FROM publications WHERE state <> 'cleaned' ORDER BY rowid;

-- name: publications_at
SELECT publications.* FROM publications JOIN runs USING (run)
WHERE target = :target ORDER BY runs.rowid DESC;

-- name: queue
SELECT * FROM queue ORDER BY rowid;

-- name: queued
SELECT * FROM queue WHERE run = :run;

-- name: pauses
SELECT * FROM pauses ORDER BY job;

-- name: live
SELECT * FROM live;

-- Of a run that is known only what was before it: what was usual does not change afterwards.
-- name: runs_done
SELECT run FROM runs
WHERE job = :job AND status IN ('completed', 'completed_with_errors')
  AND rowid < coalesce((SELECT rowid FROM runs WHERE run = :besides), 9223372036854775807)
ORDER BY rowid DESC LIMIT :limit;

-- name: plan_day
SELECT
    json_extract(plan, '$.started') AS started,
    json_extract(plan, '$.day') AS day,
    json_extract(plan, '$.job.business_day') AS said
FROM plans WHERE run = :run AND json_valid(plan);

-- Seconds are shifted to where a run's day is told by the clock: SQLite's 0 is Sunday.
-- name: rows_of_weekday
SELECT outcomes.connection, outcomes.rows FROM runs JOIN outcomes USING (run)
WHERE runs.job = :job AND runs.status IN ('completed', 'completed_with_errors')
  AND runs.rowid < (SELECT rowid FROM runs WHERE run = :besides)
  AND runs.started >= :since
  AND strftime('%w', runs.started + :shift, 'unixepoch') = :weekday
  AND outcomes.status = 'completed';
