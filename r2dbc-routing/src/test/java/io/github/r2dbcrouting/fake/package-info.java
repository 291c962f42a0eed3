/** Servers, connections and an engine that answer as they are told, without a database. */
package io.github.r2dbcrouting.fake;
