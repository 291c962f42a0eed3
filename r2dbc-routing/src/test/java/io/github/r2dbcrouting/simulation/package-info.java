/** Runs the whole router, on virtual time and without threads, against a model of a PostgreSQL cluster. */
package io.github.r2dbcrouting.simulation;
