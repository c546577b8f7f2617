-- All that is derived from the events of whole local days (derive.py). It can be derived again at any time: where its
-- shape changes, raise DERIVED_FORMAT in database.py, and everything here is dropped and made anew.

-- The days of which it is complete. A day whose events are added to loses its row in the transaction that adds them,
-- and is then read from its events. The same row may be there twice.
CREATE TABLE IF NOT EXISTS derived_days (
    site_id INTEGER NOT NULL,
    day     DATE    NOT NULL,
    events  BIGINT  NOT NULL   -- how many it has, of all that count
);

-- One row a visit.
CREATE TABLE IF NOT EXISTS visits (
    site_id         INTEGER   NOT NULL,
    day             DATE      NOT NULL,
    visit_id        BIGINT    NOT NULL,
    visitor         UBIGINT   NOT NULL,
    is_only         BOOLEAN   NOT NULL,  -- its visitor has no other that day: they need not be told apart
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

CREATE TABLE IF NOT EXISTS derived_format (
    format INTEGER NOT NULL
);
