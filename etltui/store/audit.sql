-- Statements of the audit, by their names.

-- name: put_audit
INSERT INTO audit (seq, record, previous, hash) VALUES (:seq, :record, :previous, :hash);

-- name: audit_end
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- name: audit
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: audit_at
SELECT hash FROM audit WHERE seq = :seq;
