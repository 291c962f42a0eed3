package io.github.r2dbcrouting.benchmarks.load;

/** What is sent to the servers? The same for everybody who is compared. */
final class Statements {

    /** Which server answers, by what it says itself: whatever lies between cannot hide it. */
    static final String ADDRESS = "coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'local')";

    /** What stands for the key in a statement. */
    static final String KEY = "$1";

    static final String TABLE = "routing_load_item";

    /** Whoever answers says who it is, as it does for a row. */
    static final String SELECT_1 = "SELECT 1::bigint, 0::bigint, " + ADDRESS;

    static final String READ = "SELECT id, version, " + ADDRESS + " FROM " + TABLE + " WHERE id = $1";
    static final String WRITE = "UPDATE " + TABLE + " SET version = version + 1 WHERE id = $1 RETURNING version";
    static final String LIST =
            "SELECT id, version, " + ADDRESS + " FROM " + TABLE + " WHERE id >= $1 ORDER BY id LIMIT 20";

    /** With the first of the rows that it sums up, which tells whether it lacks what its user wrote. */
    static final String REPORT = "SELECT min(id), max(version) FILTER (WHERE id = $1), " + ADDRESS
            + ", sum(version)::bigint FROM " + TABLE + " WHERE id >= $1 AND id < $1 + 2000";

    private Statements() {}

    static void create(Cluster cluster, int keys) {
        cluster.execute("DROP TABLE IF EXISTS " + TABLE);
        cluster.execute("CREATE TABLE " + TABLE
                + " (id bigint PRIMARY KEY, version bigint NOT NULL, body text NOT NULL) WITH (fillfactor = 50)");
        cluster.execute("INSERT INTO " + TABLE + " SELECT n, 0, repeat('x', 100) FROM generate_series(0, " + (keys - 1)
                + ") n");
        cluster.execute("ANALYZE " + TABLE);
        cluster.awaitReplayed();
    }

    static void drop(Cluster cluster) {
        cluster.execute("DROP TABLE IF EXISTS " + TABLE);
    }
}
