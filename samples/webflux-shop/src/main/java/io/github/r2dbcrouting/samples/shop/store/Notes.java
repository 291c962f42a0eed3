package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Where are notes kept? The server itself says which one it is, so that nobody has to believe what the router claims.
 *
 * <p>Plain SQL with a {@code DatabaseClient}: that is routed as repositories are.
 */
@Component
class Notes {

    private final DatabaseClient database;

    Notes(DatabaseClient database) {
        this.database = database;
    }

    /** Returns the revision, which is one more each time. */
    Mono<Long> save(String customer, String text) {
        return database.sql("""
                        INSERT INTO note (customer, revision, text) VALUES (:customer, 1, :text)
                        ON CONFLICT (customer) DO UPDATE SET revision = note.revision + 1, text = excluded.text
                        RETURNING revision
                        """)
                .bind("customer", customer)
                .bind("text", text)
                .mapValue(Long.class)
                .one();
    }

    Mono<Note> load(String customer) {
        return database.sql("""
                        SELECT coalesce(revision, 0) AS revision, coalesce(text, '') AS text,
                               current_setting('cluster_name') AS server, pg_is_in_recovery() AS replica
                        FROM (SELECT 1) AS always LEFT JOIN note ON customer = :customer
                        """)
                .bind("customer", customer)
                .mapProperties(Note.class)
                .one();
    }
}
