package io.github.r2dbcrouting.postgresql;

import java.util.Set;

/** What do the words tell that statements begin with? */
final class Verbs {

    /** What may be a read. */
    static final Set<String> READS = Set.of("select", "values", "table", "with", "show");

    /** What a query begins with, also in parentheses. */
    static final Set<String> QUERIES = Set.of("select", "values", "table", "with");

    /** What changes rows, also in a common table expression. */
    static final Set<String> CHANGES = Set.of("insert", "update", "delete", "merge");

    /** What stays behind in the connection, or works with what stayed. */
    static final Set<String> STATEFUL = Set.of("""
            set reset discard listen unlisten prepare deallocate execute declare fetch move close load begin start do
            call
            """.strip().split("\\s+"));

    /** Before, or as the schema of, what lives as long as its connection. */
    static final Set<String> TEMPORARY = Set.of("temp", "temporary", "pg_temp");

    private Verbs() {}
}
