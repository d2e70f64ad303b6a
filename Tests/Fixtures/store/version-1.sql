-- A store as schema version 1 left it: three rows in the queue of capi, one of them held back for the goal Lead, a dead
-- letter of offline, and a reject. Never change it; the tests of migrations start from here.
PRAGMA application_id = 1128691556;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('identity','1b4e28ba-2fa1-4d2b-883f-b9a761bde3fb');
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO texts VALUES(1,'orders');
INSERT INTO texts VALUES(2,'timeout');
INSERT INTO texts VALUES(3,'Lead');
INSERT INTO texts VALUES(4,'http_503');
CREATE TABLE destinations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
INSERT INTO destinations VALUES(1,'capi','account 1',1786000000000,'running');
INSERT INTO destinations VALUES(2,'offline','account 1',1786000000000,'paused');
CREATE TABLE counters (
    destination INTEGER PRIMARY KEY,
    queue_rows INTEGER NOT NULL,
    queue_bytes INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL,
    rejects INTEGER NOT NULL,
    quarantined INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES(0,0,0,0,1,0);
INSERT INTO counters VALUES(1,3,921,0,0,0);
INSERT INTO counters VALUES(2,0,0,1,0,0);
CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    destination INTEGER NOT NULL,
    hold INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    strikes INTEGER NOT NULL,
    first_failure INTEGER,
    last_failure INTEGER,
    queued_at INTEGER NOT NULL,
    topic INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    item INTEGER NOT NULL,
    payload_hash INTEGER NOT NULL,
    event_time INTEGER NOT NULL,
    send_by INTEGER NOT NULL,
    goal TEXT NOT NULL,
    items INTEGER NOT NULL,
    match_keys INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    content BLOB NOT NULL,
    event BLOB NOT NULL
) STRICT;
INSERT INTO queue VALUES(1,1,0,1786000000000,1,0,2,2,1786000000000,1,0,1,0,77,1785999940,1786086400000,'purchase',1,0,1746893632019137251,X'7b226576656e744964223a2261227d',X'7b226576656e74223a225075726368617365227d');
INSERT INTO queue VALUES(2,1,0,1786000000000,1,0,2,2,1786000000000,1,0,2,0,77,1785999940,1786086400000,'purchase',1,0,-34429478360943327,X'7b226576656e744964223a2261227d',X'7b226576656e74223a225075726368617365227d');
INSERT INTO queue VALUES(3,1,3,1786000000000,1,0,NULL,NULL,1786000000000,1,0,3,0,77,1785999940,1786086400000,'purchase',1,0,4528324078648832305,X'7b226576656e744964223a2261227d',X'7b226576656e74223a225075726368617365227d');
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination INTEGER NOT NULL,
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    dead_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_failure INTEGER,
    last_failure INTEGER,
    topic INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    item INTEGER NOT NULL,
    payload_hash INTEGER NOT NULL,
    event_time INTEGER NOT NULL,
    send_by INTEGER NOT NULL,
    goal TEXT NOT NULL,
    items INTEGER NOT NULL,
    match_keys INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    content BLOB NOT NULL,
    event BLOB NOT NULL
) STRICT;
INSERT INTO dead_letters VALUES(1,2,'refused','InvalidEvent',1786000000000,2,4,4,1,0,4,0,77,1785999940,1786086400000,'purchase',1,0,5127031579233395618,X'7b226576656e744964223a2261227d',X'7b226576656e74223a225075726368617365227d');
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY,
    destination INTEGER NOT NULL,
    topic INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    rejected_at INTEGER NOT NULL,
    UNIQUE (topic, partition, offset, destination)
) STRICT;
INSERT INTO rejects VALUES(1,0,1,0,17,'malformed_json',1786000000000);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, quarantined_at, queue_row, destination, hold, due_at, attempts, strikes,
    first_failure, last_failure, queued_at, topic, partition, offset, item, payload_hash, event_time, send_by,
    goal, items, match_keys, checksum, content, event
);
INSERT INTO sqlite_sequence VALUES('dead_letters',1);
CREATE UNIQUE INDEX queue_origin ON queue (destination, topic, partition, offset, item, payload_hash);
CREATE INDEX queue_due ON queue (destination, hold, due_at, strikes, id, last_failure);
CREATE INDEX queue_send_by ON queue (destination, hold, send_by, due_at, strikes);
CREATE UNIQUE INDEX dead_letters_origin ON dead_letters (destination, topic, partition, offset, item, payload_hash);
COMMIT;
