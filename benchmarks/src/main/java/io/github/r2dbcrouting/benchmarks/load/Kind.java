package io.github.r2dbcrouting.benchmarks.load;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Which ways of choosing a server can be compared? */
enum Kind {
    /** Everything on the primary. */
    PRIMARY("all on the primary", true),
    /** Reads go round the replicas, whatever they have replayed: the naive control. */
    ROUND_ROBIN("round robin, no freshness", false),
    /** As round robin, but a user reads from the primary for 5 s after a write. */
    PINNED("primary for 5 s after a write", false),
    /** This library: a session for each user. */
    CAUSAL("r2dbc-routing, causal", true),
    /** This library: reads at most 500 ms old, of whoever. */
    BOUNDED("r2dbc-routing, at most 500 ms old", false),
    /** Spring's factory that looks one up by a key in the Context; the keys of reads go round the replicas. */
    SPRING("Spring routing factory", false),
    /** The driver's own choice among several hosts, one pool for reads and one for writes. */
    MULTI_HOST("r2dbc-postgresql multi-host", false),
    /** One listener for writes and one for reads. */
    HAPROXY("haproxy", false),
    /** One database for writes and one for reads, pooled by session. */
    PGBOUNCER("pgbouncer", false),
    /** Statements told apart by the proxy. */
    PGPOOL("pgpool-II", false);

    private final String title;
    private final boolean readsItsWrites;

    Kind(String title, boolean readsItsWrites) {
        this.title = title;
        this.readsItsWrites = readsItsWrites;
    }

    String title() {
        return title;
    }

    /** Returns whether a single stale read of it is an error. */
    boolean readsItsWrites() {
        return readsItsWrites;
    }

    /** Returns whether it is this library, of which every read on the primary is one that no replica could serve. */
    boolean ours() {
        return this == CAUSAL || this == BOUNDED;
    }

    /** Returns whether it is a program of its own between the application and the servers. */
    boolean proxy() {
        return this == HAPROXY || this == PGBOUNCER || this == PGPOOL;
    }

    /** Returns the name on the command line and in the summary. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Kind of(String name) {
        return Arrays.stream(values())
                .filter(kind -> kind.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "expected some of " + List.of(values()) + " as routers, not '" + name + "'"));
    }
}
