-- What leases need in a PostgreSQL database (14 or later). May be run again. `PostgresqlStore.install()` runs it; or put it
-- into a migration. The functions take the steps of seawall/core/lease_table.py and core/rate.py; a test compares them.

CREATE SCHEMA IF NOT EXISTS seawall;

-- A row is never deleted, or tokens could fall.
CREATE TABLE IF NOT EXISTS seawall.leases (
    name text PRIMARY KEY,
    last_token bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS seawall.holders (
    name text NOT NULL,
    holder text NOT NULL,
    token bigint NOT NULL,
    slot integer NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (name, holder)
);

CREATE TABLE IF NOT EXISTS seawall.line (
    name text NOT NULL,
    holder text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (name, holder)
);

CREATE TABLE IF NOT EXISTS seawall.limits (
    name text PRIMARY KEY,
    full_at double precision NOT NULL
);

CREATE TABLE IF NOT EXISTS seawall.fences (
    resource text PRIMARY KEY,
    newest bigint NOT NULL
);

-- Lock the name, drop what has run out, and return the server's time. All steps on one name go one after the other: the row
-- of the name is locked until the end, and at READ COMMITTED each statement after that sees what others have committed.
CREATE OR REPLACE FUNCTION seawall.enter(p_name text) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'seawall needs READ COMMITTED, not %', current_setting('transaction_isolation');
    END IF;
    PERFORM FROM seawall.leases WHERE name = p_name FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO seawall.leases (name, last_token) VALUES (p_name, 0) ON CONFLICT (name) DO NOTHING;
        PERFORM FROM seawall.leases WHERE name = p_name FOR UPDATE;
    END IF;
    v_now := clock_timestamp();
    DELETE FROM seawall.holders WHERE name = p_name AND expires_at <= v_now;
    DELETE FROM seawall.line WHERE name = p_name AND expires_at <= v_now;
    RETURN v_now;
END
$$;

-- Above the last token, and at least the server's time in microseconds: see core/lease_table.py.
CREATE OR REPLACE FUNCTION seawall.next_token(p_name text) RETURNS bigint
LANGUAGE sql AS $$
    INSERT INTO seawall.leases AS l (name, last_token)
    VALUES (p_name, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
    ON CONFLICT (name) DO UPDATE SET last_token = greatest(l.last_token + 1, excluded.last_token)
    RETURNING last_token
$$;

CREATE OR REPLACE FUNCTION seawall.ask(
    p_name text, p_holder text, p_permits integer, p_ttl_s double precision, p_waits boolean, p_place_s double precision,
    OUT token bigint, OUT slot integer, OUT place integer
) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := seawall.enter(p_name);
    v_inside integer;
    v_number bigint;
    v_until timestamptz;
BEGIN
    UPDATE seawall.holders h SET expires_at = v_now + make_interval(secs => p_ttl_s)
        WHERE h.name = p_name AND h.holder = p_holder
        RETURNING h.token, h.slot INTO token, slot;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT l.number, l.expires_at INTO v_number, v_until
        FROM seawall.line l WHERE l.name = p_name AND l.holder = p_holder;
    SELECT count(*) INTO place FROM seawall.line l WHERE l.name = p_name AND (v_number IS NULL OR l.number < v_number);
    SELECT count(*) INTO v_inside FROM seawall.holders h WHERE h.name = p_name;
    IF place < p_permits - v_inside THEN
        DELETE FROM seawall.line l WHERE l.name = p_name AND l.holder = p_holder;
        token := seawall.next_token(p_name);
        SELECT min(s) INTO slot FROM generate_series(0, p_permits - 1) s
            WHERE NOT EXISTS (SELECT FROM seawall.holders h WHERE h.name = p_name AND h.slot = s);
        INSERT INTO seawall.holders VALUES (p_name, p_holder, token, slot, v_now + make_interval(secs => p_ttl_s));
        place := NULL;
    ELSIF p_waits AND (v_until IS NULL OR v_until - v_now < make_interval(secs => p_place_s / 2)) THEN
        INSERT INTO seawall.line AS l (name, holder, expires_at)
            VALUES (p_name, p_holder, v_now + make_interval(secs => p_place_s))
            ON CONFLICT (name, holder) DO UPDATE SET expires_at = excluded.expires_at;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION seawall.renew(p_name text, p_holder text, p_ttl_s double precision) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := seawall.enter(p_name);
BEGIN
    UPDATE seawall.holders SET expires_at = v_now + make_interval(secs => p_ttl_s)
        WHERE name = p_name AND holder = p_holder;
    RETURN FOUND;
END
$$;

CREATE OR REPLACE FUNCTION seawall.leave(p_name text, p_holder text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM seawall.enter(p_name);
    DELETE FROM seawall.line WHERE name = p_name AND holder = p_holder;
    DELETE FROM seawall.holders WHERE name = p_name AND holder = p_holder;
    RETURN FOUND;
END
$$;

CREATE OR REPLACE FUNCTION seawall.spend(
    p_name text, p_rate_per_s double precision, p_burst double precision, p_cost double precision
) RETURNS double precision
LANGUAGE plpgsql AS $$
DECLARE
    v_full_at double precision;
    v_now double precision;
    v_over_s double precision;
BEGIN
    INSERT INTO seawall.limits (name, full_at) VALUES (p_name, 0) ON CONFLICT (name) DO NOTHING;
    SELECT full_at INTO v_full_at FROM seawall.limits WHERE name = p_name FOR UPDATE;
    v_now := extract(epoch FROM clock_timestamp());
    v_full_at := least(greatest(v_full_at, v_now), v_now + p_burst / p_rate_per_s);
    v_over_s := v_full_at + p_cost / p_rate_per_s - (v_now + p_burst / p_rate_per_s);
    IF v_over_s <= 1e-6 THEN
        v_full_at := v_full_at + p_cost / p_rate_per_s;
        v_over_s := 0;
    END IF;
    UPDATE seawall.limits SET full_at = v_full_at WHERE name = p_name;
    RETURN v_over_s;
END
$$;

-- Call it first in the transaction that writes. It raises SW001, and so rolls everything back, where a newer token has
-- passed. The row stays locked until the end of the transaction, so no writer with an older token can come in between.
CREATE OR REPLACE FUNCTION seawall.pass_fence(p_resource text, p_token bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seawall.fences AS f (resource, newest) VALUES (p_resource, p_token)
        ON CONFLICT (resource) DO UPDATE SET newest = excluded.newest WHERE f.newest <= excluded.newest;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale token % for %', p_token, p_resource USING
            ERRCODE = 'SW001', DETAIL = (SELECT newest FROM seawall.fences WHERE resource = p_resource);
    END IF;
END
$$;

-- The other flavour: locks of the session, which end with it and not by time. The key of a slot is a hash, so two names can
-- share one, and then exclude each other; nothing worse.
CREATE OR REPLACE FUNCTION seawall.slot_key(p_name text, p_slot integer) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended('seawall ' || p_name || '#' || p_slot, 0) $$;

CREATE OR REPLACE FUNCTION seawall.try_advisory(p_name text, p_permits integer, OUT token bigint, OUT slot integer)
LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 0 .. p_permits - 1 LOOP
        IF pg_try_advisory_lock(seawall.slot_key(p_name, i)) THEN
            slot := i;
            token := seawall.next_token(p_name);
            RETURN;
        END IF;
    END LOOP;
END
$$;
