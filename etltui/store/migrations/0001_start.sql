-- Each row carries a CRC-32 of its other columns that are not NULL, so that a later migration may
-- add a column without touching old rows. Names of keys are the words of the domain.

CREATE TABLE runs (
    run       TEXT PRIMARY KEY,
    job       TEXT NOT NULL,
    title     TEXT NOT NULL,
    status    TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    started   REAL NOT NULL,
    ended     REAL,
    reason    TEXT NOT NULL,
    result    TEXT, -- JSON, without its connections
    checksum  INTEGER NOT NULL
);

CREATE INDEX runs_by_job ON runs (job);

-- Apart from runs: a plan of 500 connections is a megabyte that no list of runs should read.
CREATE TABLE plans (
    run      TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    plan     TEXT NOT NULL, -- JSON
    checksum INTEGER NOT NULL
);

CREATE TABLE run_connections (
    run        TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    connection TEXT NOT NULL,
    hash       TEXT NOT NULL,
    result     TEXT, -- JSON
    parts      INTEGER NOT NULL, -- how many rows of parts the result rests on
    checksum   INTEGER NOT NULL,
    PRIMARY KEY (run, connection),
    UNIQUE (run, number)
);

CREATE TABLE parts (
    run         TEXT NOT NULL,
    destination INTEGER NOT NULL,
    variant     TEXT NOT NULL,
    connection  TEXT NOT NULL,
    query       INTEGER NOT NULL,
    segment     INTEGER NOT NULL,
    receipt     TEXT NOT NULL, -- JSON
    checksum    INTEGER NOT NULL,
    PRIMARY KEY (run, connection, destination, variant, query, segment),
    FOREIGN KEY (run, connection) REFERENCES run_connections ON DELETE CASCADE
);

CREATE TABLE publications (
    run         TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    destination INTEGER NOT NULL,
    target      TEXT NOT NULL,
    temporary   TEXT NOT NULL,
    state       TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    crc         INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    members     TEXT NOT NULL, -- JSON
    checksum    INTEGER NOT NULL,
    PRIMARY KEY (run, destination)
);
