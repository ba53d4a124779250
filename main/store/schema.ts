/**
 * The schema as a list of steps: a store of version n has had the first n applied. Only ever append.
 *
 * `candidates` is narrow, so that filtering and sorting 100,000 of them stays quick; graphs and traces lie in
 * `layers`. `dispatched`: null for an inserted layer the search has not come to, 0 for one settled at once (static
 * rejection, duplicate), 1 for one sent to training. `at_seconds`: running seconds of the search when it was
 * settled. `ops`: live ops as bits, in the order of the op table. `words`: what a text filter looks in.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE searches (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    config TEXT NOT NULL,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    failure TEXT,
    seconds REAL NOT NULL DEFAULT 0,
    requeued INTEGER NOT NULL DEFAULT 0,
    made TEXT NOT NULL
  ) STRICT;

  CREATE TABLE candidates (
    search INTEGER NOT NULL REFERENCES searches(key),
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    parent INTEGER,
    status TEXT NOT NULL,
    dispatched INTEGER,
    alive INTEGER NOT NULL DEFAULT 0,
    scores TEXT,
    average REAL,
    rejected TEXT,
    duplicate_of INTEGER,
    nodes INTEGER NOT NULL,
    ops INTEGER NOT NULL,
    words TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    at_seconds REAL,
    rerank_scores TEXT,
    PRIMARY KEY (search, number)
  ) STRICT;
  CREATE INDEX candidates_by_average ON candidates (search, role, average, number);
  CREATE INDEX candidates_by_status ON candidates (search, role, status, rejected, number);
  CREATE INDEX candidates_by_seconds ON candidates (search, role, seconds, number);
  CREATE INDEX candidates_by_nodes ON candidates (search, role, nodes, number);
  CREATE INDEX candidates_by_parent ON candidates (search, parent) WHERE parent IS NOT NULL;
  CREATE INDEX candidates_by_original ON candidates (search, duplicate_of) WHERE duplicate_of IS NOT NULL;
  CREATE INDEX candidates_by_fingerprint ON candidates (search, fingerprint);
  CREATE INDEX candidates_settled ON candidates (search, at_seconds) WHERE dispatched = 1;

  CREATE TABLE layers (
    search INTEGER NOT NULL,
    number INTEGER NOT NULL,
    graph TEXT NOT NULL,
    origin TEXT NOT NULL,
    rejection TEXT,
    failure TEXT,
    PRIMARY KEY (search, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE evaluations (
    key INTEGER PRIMARY KEY,
    search INTEGER NOT NULL,
    number INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX evaluations_by_candidate ON evaluations (search, number);

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    search INTEGER NOT NULL,
    number INTEGER,
    time TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_search ON events (search, seq);

  CREATE TABLE leases (
    search INTEGER PRIMARY KEY,
    holder TEXT NOT NULL,
    machine TEXT NOT NULL,
    pid INTEGER NOT NULL,
    beat INTEGER NOT NULL
  ) STRICT;
  `,
  // Whether the longer training ended, whatever came of it. Pages far down walk an index instead of the table; two
  // indexes that no query used are gone.
  `
  ALTER TABLE candidates ADD COLUMN reranked INTEGER NOT NULL DEFAULT 0;
  UPDATE candidates SET reranked = 1 WHERE rerank_scores IS NOT NULL;
  CREATE INDEX candidates_by_number ON candidates (search, role, number);
  DROP INDEX events_by_search;
  DROP INDEX candidates_by_fingerprint;
  `,
  // Transfers. A run belongs to all promotions that ask for it, in the order of their `position`. `curve` has the points
  // so far. In `events`, one about a promotion has search 0 and the promotion's id.
  `
  CREATE TABLE promotions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    comparison TEXT NOT NULL,
    protocol TEXT NOT NULL,
    layer TEXT NOT NULL,
    config TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT,
    reused INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    made TEXT NOT NULL
  ) STRICT;
  CREATE INDEX promotions_by_layer ON promotions (fingerprint, comparison);

  CREATE TABLE transfer_runs (
    key TEXT PRIMARY KEY,
    protocol TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seed INTEGER NOT NULL,
    graph TEXT NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL DEFAULT 0,
    steps INTEGER NOT NULL,
    result TEXT,
    failure TEXT,
    seconds REAL NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX transfer_runs_by_protocol ON transfer_runs (protocol);

  CREATE TABLE transfer_points (
    run TEXT NOT NULL REFERENCES transfer_runs(key) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run, step)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE promotion_runs (
    promotion INTEGER NOT NULL REFERENCES promotions(key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    run TEXT NOT NULL REFERENCES transfer_runs(key),
    PRIMARY KEY (promotion, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX promotion_runs_by_run ON promotion_runs (run);

  ALTER TABLE events ADD COLUMN promotion TEXT;
  `,
  // How a duplicate was told, the family of layers that start alike, and the known layer that is the same function: for
  // those of before only where it was put in by name.
  `
  ALTER TABLE candidates ADD COLUMN same_by TEXT;
  ALTER TABLE candidates ADD COLUMN family TEXT;
  ALTER TABLE candidates ADD COLUMN known TEXT;
  UPDATE candidates SET known = label WHERE kind = 'known';
  `,
  // What a search's data held at its creation.
  `
  ALTER TABLE searches ADD COLUMN data TEXT;
  `,
  // Where evaluations were made, each place once. The order in which a search with asynchronous proposals took its results:
  // candidate `number` was taken before candidate `before` was proposed.
  `
  CREATE TABLE made (key INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE) STRICT;
  ALTER TABLE evaluations ADD COLUMN made INTEGER REFERENCES made(key);
  CREATE TABLE taken (
    search INTEGER NOT NULL REFERENCES searches(key),
    place INTEGER NOT NULL,
    number INTEGER NOT NULL,
    before INTEGER NOT NULL,
    PRIMARY KEY (search, place)
  ) STRICT, WITHOUT ROWID;
  `,
  // The steady clock of a lease's holder beside the time of day, which may be set at any moment.
  `
  ALTER TABLE leases ADD COLUMN clock TEXT;
  ALTER TABLE leases ADD COLUMN steady INTEGER;
  `,
]
