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
