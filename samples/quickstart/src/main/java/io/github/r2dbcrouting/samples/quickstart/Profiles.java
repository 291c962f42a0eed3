package io.github.r2dbcrouting.samples.quickstart;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Row;
import java.util.Objects;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What does the application store? A revision number for each user.
 *
 * <p>Plain R2DBC: nothing here knows that statements are routed. What is asked of the router comes with the Context.
 */
record Profiles(ConnectionFactory database) {

    static final String TABLE = "CREATE TABLE profile (id bigint PRIMARY KEY, revision int NOT NULL)";

    private static final String SAVE = """
            INSERT INTO profile VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision
            """;

    /** The server itself says which one it is: nothing that the router claims is believed. */
    private static final String LOAD = """
            SELECT current_setting('cluster_name'), (SELECT revision FROM profile WHERE id = $1)
            """;

    /**
     * What a read brought.
     *
     * @param server what the server that served it calls itself
     * @param revision the revision that it has, 0 if it has no such profile
     */
    record Loaded(String server, int revision) {}

    Mono<Void> save(long id, int revision) {
        return Mono.usingWhen(
                database.create(),
                connection -> Flux.from(connection
                                .createStatement(SAVE)
                                .bind(0, id)
                                .bind(1, revision)
                                .execute())
                        .concatMap(result -> result.getRowsUpdated())
                        .then(),
                Connection::close);
    }

    Mono<Loaded> load(long id) {
        return Mono.usingWhen(
                database.create(),
                connection -> Flux.from(
                                connection.createStatement(LOAD).bind(0, id).execute())
                        .concatMap(result -> result.map((row, metadata) -> loaded(row)))
                        .single(),
                Connection::close);
    }

    private static Loaded loaded(Row row) {
        Integer revision = row.get(1, Integer.class);
        return new Loaded(Objects.requireNonNull(row.get(0, String.class)), revision == null ? 0 : revision);
    }
}
