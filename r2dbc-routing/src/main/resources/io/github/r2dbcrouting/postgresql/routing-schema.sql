CREATE SCHEMA IF NOT EXISTS r2dbc_routing;

CREATE TABLE IF NOT EXISTS r2dbc_routing.server (
    name    text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9._-]+$'),
    host    text,
    port    integer CHECK (port BETWEEN 1 AND 65535),
    tags    text[] CHECK (array_to_string(tags, '') ~ '^[A-Za-z0-9_-]*$'),
    weight  numeric CHECK (weight BETWEEN 0.001 AND 1000),
    enabled boolean NOT NULL DEFAULT true
);

CREATE TABLE IF NOT EXISTS r2dbc_routing.policy (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_]+$'),
    text text NOT NULL CHECK (length(text) <= 10000)
);
