-- What is written down beside the runs. Losing some of it loses no data, so these rows have no
-- checksums.

-- As taken, every few seconds, for a day …
CREATE TABLE samples (
    at                 REAL PRIMARY KEY,
    lent               REAL NOT NULL,
    idle               REAL NOT NULL,
    open               REAL NOT NULL,
    waiting            REAL NOT NULL,
    max_connections    REAL NOT NULL,
    pending            REAL NOT NULL,
    running            REAL NOT NULL,
    completed          REAL NOT NULL,
    failed             REAL NOT NULL,
    connections_active REAL NOT NULL,
    rows_per_s         REAL NOT NULL,
    cpu_percent        REAL NOT NULL,
    memory             REAL NOT NULL,
    threshold          REAL NOT NULL,
    lag_ms             REAL NOT NULL
) WITHOUT ROWID;

-- … and by the minute for longer: a week of the former could not be added up while a screen waits.
CREATE TABLE minutes (
    at                 REAL PRIMARY KEY,
    lent               REAL NOT NULL,
    idle               REAL NOT NULL,
    open               REAL NOT NULL,
    waiting            REAL NOT NULL,
    max_connections    REAL NOT NULL,
    pending            REAL NOT NULL,
    running            REAL NOT NULL,
    completed          REAL NOT NULL,
    failed             REAL NOT NULL,
    connections_active REAL NOT NULL,
    rows_per_s         REAL NOT NULL,
    cpu_percent        REAL NOT NULL,
    memory             REAL NOT NULL,
    threshold          REAL NOT NULL,
    lag_ms             REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE actions (
    at      REAL NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    target  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    outcome TEXT NOT NULL
);

CREATE INDEX actions_by_time ON actions (at);

CREATE TRIGGER actions_stay BEFORE UPDATE ON actions
BEGIN
    SELECT raise(ABORT, 'what was done is never rewritten');
END;

CREATE TABLE holds (
    connection TEXT PRIMARY KEY,
    reason     TEXT NOT NULL,
    who        TEXT NOT NULL,
    since      REAL NOT NULL,
    until      REAL NOT NULL -- 0: until it is released
);

-- What a list over many runs needs of each result, so that nobody parses its JSON for that.
CREATE TABLE outcomes (
    run         TEXT NOT NULL,
    connection  TEXT NOT NULL,
    job         TEXT NOT NULL,
    at          REAL NOT NULL,
    status      TEXT NOT NULL,
    rows        INTEGER NOT NULL,
    seconds     REAL NOT NULL,
    far         TEXT NOT NULL,
    error_class TEXT NOT NULL, -- empty: it completed
    PRIMARY KEY (run, connection),
    FOREIGN KEY (run, connection) REFERENCES run_connections ON DELETE CASCADE
);

CREATE INDEX outcomes_by_time ON outcomes (at);
CREATE INDEX outcomes_by_connection ON outcomes (connection, at);

-- Of what was recorded before, the end of the run is the nearest time that is known.
INSERT INTO outcomes
SELECT
    place.run,
    place.connection,
    runs.job,
    coalesce(runs.ended, runs.started),
    json_extract(place.result, '$.status'),
    coalesce(json_extract(place.result, '$.rows'), 0),
    (SELECT total(value) FROM json_each(place.result, '$.seconds')),
    coalesce(
        (
            SELECT value
            FROM json_each(CASE WHEN json_valid(runs.result) THEN runs.result END, '$.unusual')
            WHERE key = place.connection
        ),
        ''
    ),
    coalesce(json_extract(place.result, '$.trouble.error_class'), '')
FROM run_connections AS place JOIN runs USING (run)
WHERE json_valid(place.result) AND json_extract(place.result, '$.status') IS NOT NULL;
