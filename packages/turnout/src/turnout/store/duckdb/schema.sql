-- One row an event, append-only. Columns from `visit_id` on are the visit's, repeated on each of its rows
-- (see model/event.py for the deltas). Column order is the append order of events.py.
CREATE TABLE IF NOT EXISTS events (
    position          BIGINT    NOT NULL,
    site_id           INTEGER   NOT NULL,
    occurred_at       TIMESTAMP NOT NULL,  -- UTC
    local_at          TIMESTAMP NOT NULL,  -- the site's wall clock when it was written
    visitor           UBIGINT   NOT NULL,
    name              VARCHAR   NOT NULL,
    interactive       BOOLEAN   NOT NULL,
    hostname          VARCHAR   NOT NULL,
    page              VARCHAR   NOT NULL,
    props             MAP(VARCHAR, VARCHAR),
    revenue_amount    DECIMAL(18, 4),
    revenue_currency  VARCHAR,
    scroll_depth      UTINYINT,
    engaged_ms        INTEGER,
    visit_id          BIGINT,              -- the position of the visit's first event
    visit_started_at  TIMESTAMP,           -- UTC
    visit_local_at    TIMESTAMP,
    entry_page        VARCHAR,
    referrer          VARCHAR,
    source            VARCHAR,
    channel           VARCHAR,
    utm_source        VARCHAR,
    utm_medium        VARCHAR,
    utm_campaign      VARCHAR,
    utm_content       VARCHAR,
    utm_term          VARCHAR,
    country           VARCHAR,
    region            VARCHAR,
    city              VARCHAR,
    device            VARCHAR,
    browser           VARCHAR,
    browser_version   VARCHAR,
    os                VARCHAR,
    os_version        VARCHAR,
    language          VARCHAR,
    visit_delta       TINYINT   NOT NULL,
    bounce_delta      TINYINT   NOT NULL,
    duration_delta_ms INTEGER   NOT NULL
);

-- How far the journal has been stored; moves in the same transaction as the rows.
CREATE TABLE IF NOT EXISTS stored_position (
    journal  VARCHAR PRIMARY KEY,
    position BIGINT NOT NULL
);

-- What follows is derived from the events of whole local days (derive.py), and can be derived again at any time.

-- The days of which it is complete. A day whose events are added to loses its row in the transaction that adds them,
-- and is then read from its events. The same row may be there twice.
CREATE TABLE IF NOT EXISTS derived_days (
    site_id INTEGER NOT NULL,
    day     DATE    NOT NULL
);

-- One row a visit.
CREATE TABLE IF NOT EXISTS visits (
    site_id         INTEGER   NOT NULL,
    day             DATE      NOT NULL,
    visit_id        BIGINT    NOT NULL,
    visitor         UBIGINT   NOT NULL,
    local_at        TIMESTAMP NOT NULL,  -- its start by the site's wall clock
    entry_page      VARCHAR   NOT NULL,
    exit_page       VARCHAR   NOT NULL,
    referrer        VARCHAR   NOT NULL,
    source          VARCHAR   NOT NULL,
    channel         VARCHAR   NOT NULL,
    utm_source      VARCHAR   NOT NULL,
    utm_medium      VARCHAR   NOT NULL,
    utm_campaign    VARCHAR   NOT NULL,
    utm_content     VARCHAR   NOT NULL,
    utm_term        VARCHAR   NOT NULL,
    country         VARCHAR   NOT NULL,
    region          VARCHAR   NOT NULL,
    city            VARCHAR   NOT NULL,
    device          VARCHAR   NOT NULL,
    browser         VARCHAR   NOT NULL,
    browser_version VARCHAR   NOT NULL,
    os              VARCHAR   NOT NULL,
    os_version      VARCHAR   NOT NULL,
    pageviews       INTEGER   NOT NULL,
    events          INTEGER   NOT NULL,
    bounces         TINYINT   NOT NULL,
    duration_ms     INTEGER   NOT NULL
);

-- Sums of a day by the values of one dimension; see store/rollups.py.
CREATE TABLE IF NOT EXISTS rollups (
    site_id         INTEGER NOT NULL,
    day             DATE    NOT NULL,
    dimension       VARCHAR NOT NULL,
    value           VARCHAR NOT NULL,
    visitors        BIGINT  NOT NULL,
    pageviews       BIGINT  NOT NULL,
    events          BIGINT  NOT NULL,
    visits          BIGINT  NOT NULL,
    bounces         BIGINT  NOT NULL,
    duration_ms     BIGINT  NOT NULL,
    visit_pageviews BIGINT  NOT NULL
);
