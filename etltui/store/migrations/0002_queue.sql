-- Runs that wait for their turn or have it; the run itself stands in runs from the first moment.

CREATE TABLE queue (
    run        TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    job        TEXT NOT NULL,
    type       TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    submitted  REAL NOT NULL,
    not_before REAL NOT NULL,
    owner      TEXT NOT NULL,
    ask        TEXT NOT NULL, -- JSON
    tries      INTEGER NOT NULL,
    keep       INTEGER NOT NULL, -- 1: outlives the engine that took it in
    taken      INTEGER NOT NULL, -- 1: has its turn
    checksum   INTEGER NOT NULL
);

-- Jobs that get no turn; the empty name stands for the queue as a whole.
CREATE TABLE pauses (
    job TEXT PRIMARY KEY
);

-- One row, rewritten each second while runs exist, for whoever looks without asking the engine.
CREATE TABLE live (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    at       REAL NOT NULL,
    snapshot TEXT NOT NULL -- JSON
);
