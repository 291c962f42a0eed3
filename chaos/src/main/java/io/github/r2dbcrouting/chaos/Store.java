package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.postgresql.api.PostgresTransactionDefinition;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How are lists and registers kept? A row for each, so that who appends waits for whoever appends as well, and the order
 * of a list's values is that of the commits. A register's row remembers which values it has had.
 */
final class Store {

    /** So many rows of a long answer are not sent at once: something can go wrong between them. */
    private static final int LONG = 400;

    private static final String APPEND = """
            INSERT INTO list VALUES ($1, ARRAY[$2])
            ON CONFLICT (key) DO UPDATE SET items = list.items || EXCLUDED.items
            RETURNING cardinality(items)
            """;

    private static final String SET = """
            INSERT INTO register VALUES ($1, $2, ARRAY[$2])
            ON CONFLICT (key) DO UPDATE SET item = EXCLUDED.item, log = register.log || EXCLUDED.log
            RETURNING cardinality(log)
            """;

    private static final String READ_LIST = "SELECT array_to_string(items, ',') FROM list WHERE key = $1";

    private static final String READ_TWO_LISTS =
            "SELECT key || ':' || array_to_string(items, ',') FROM list WHERE key IN ($1, $2)";

    private static final String READ_LIST_LONG = "SELECT array_to_string(items, ',') || repeat(' ', 300)"
            + " FROM list, generate_series(1, " + LONG + ") WHERE key = $1";

    private static final String READ_REGISTER = "SELECT item::text FROM register WHERE key = $1";

    /** A transaction that only reads, in one snapshot. */
    private static final TransactionDefinition SNAPSHOT =
            PostgresTransactionDefinition.from(IsolationLevel.REPEATABLE_READ).readOnly();

    private Store() {}

    static void createTables(PostgresServer primary) {
        primary.execute("CREATE TABLE list (key bigint PRIMARY KEY, items bigint[] NOT NULL) WITH (fillfactor = 50)");
        primary.execute("CREATE TABLE register (key bigint PRIMARY KEY, item bigint NOT NULL, log bigint[] NOT NULL)");
    }

    /** Returns how long the list is now. */
    static Mono<Integer> append(ConnectionFactory router, long key, long value) {
        return with(router, connection -> one(connection, APPEND, key, value)).map(Integer::valueOf);
    }

    /** Returns how often the register was set. */
    static Mono<Integer> set(ConnectionFactory router, long key, long value) {
        return with(router, connection -> one(connection, SET, key, value)).map(Integer::valueOf);
    }

    /** Appends to two lists in one transaction, which waits for the disk or does not. */
    static Mono<Integer> appendBoth(ConnectionFactory router, long[] keys, long[] values, boolean waitsForDisk) {
        return with(
                router,
                connection -> Mono.from(connection.beginTransaction())
                        .then(
                                waitsForDisk
                                        ? Mono.<Void>empty()
                                        : one(connection, "SET LOCAL synchronous_commit = off")
                                                .then())
                        .then(Mono.defer(() -> one(connection, APPEND, keys[0], values[0])))
                        .then(Mono.defer(() -> one(connection, APPEND, keys[1], values[1])))
                        .flatMap(length ->
                                Mono.from(connection.commitTransaction()).thenReturn(Integer.valueOf(length))));
    }

    static Mono<List<Long>> readList(ConnectionFactory router, long key) {
        return with(router, connection -> list(connection, key));
    }

    /** Both in one statement. */
    static Mono<List<List<Long>>> readTwoLists(ConnectionFactory router, long[] keys) {
        return with(
                router,
                connection -> all(connection, READ_TWO_LISTS, keys[0], keys[1]).map(rows -> {
                    Map<Long, List<Long>> found = new LinkedHashMap<>();
                    for (String row : rows) {
                        String[] parts = row.split(":", 2);
                        found.put(Long.valueOf(parts[0]), values(parts[1]));
                    }
                    return List.of(found.getOrDefault(keys[0], List.of()), found.getOrDefault(keys[1], List.of()));
                }));
    }

    /** Both in one snapshot, by two statements of a transaction. */
    static Mono<List<List<Long>>> readTwoListsInTransaction(ConnectionFactory router, long[] keys) {
        return with(
                router,
                connection -> Mono.from(connection.beginTransaction(SNAPSHOT))
                        .then(Mono.defer(() -> list(connection, keys[0])))
                        .flatMap(one -> list(connection, keys[1]).map(other -> List.of(one, other)))
                        .flatMap(both ->
                                Mono.from(connection.commitTransaction()).thenReturn(both)));
    }

    /** Many rows, which all say the same. */
    static Mono<List<Long>> readListLong(ConnectionFactory router, long key) {
        return with(
                router,
                connection -> all(connection, READ_LIST_LONG, key).map(rows -> {
                    if (rows.isEmpty()) {
                        return List.<Long>of();
                    }
                    String first = rows.get(0);
                    if (rows.size() != LONG || !rows.stream().allMatch(first::equals)) {
                        throw new IllegalStateException("one answer of %d rows says %d things"
                                .formatted(rows.size(), rows.stream().distinct().count()));
                    }
                    return values(first);
                }));
    }

    static Mono<List<Long>> readRegister(ConnectionFactory router, long key) {
        return with(
                router,
                connection -> all(connection, READ_REGISTER, key)
                        .map(rows -> rows.stream().map(Long::valueOf).toList()));
    }

    /** All lists on a server, asked past the proxy; blocks. */
    static Map<Long, List<Long>> lists(PostgresServer server, long fromKey) {
        return table(server, "SELECT key, array_to_string(items, ',') FROM list WHERE key >= " + fromKey);
    }

    /** All values that each register has had on a server, asked past the proxy; blocks. */
    static Map<Long, List<Long>> registers(PostgresServer server, long fromKey) {
        return table(server, "SELECT key, array_to_string(log, ',') FROM register WHERE key >= " + fromKey);
    }

    private static Map<Long, List<Long>> table(PostgresServer server, String sql) {
        Map<Long, List<Long>> all = new LinkedHashMap<>();
        server.query(sql).lines().filter(line -> !line.isBlank()).forEach(line -> {
            String[] parts = line.split("\\|", 2);
            all.put(Long.valueOf(parts[0]), values(parts[1]));
        });
        return all;
    }

    private static Mono<List<Long>> list(Connection connection, long key) {
        return all(connection, READ_LIST, key).map(rows -> rows.isEmpty() ? List.of() : values(rows.get(0)));
    }

    private static List<Long> values(String text) {
        return Arrays.stream(text.trim().split(",", -1))
                .filter(value -> !value.isEmpty())
                .map(Long::valueOf)
                .toList();
    }

    /** Something that is done with a connection. */
    interface Work<T> {
        Mono<T> on(Connection connection);
    }

    static <T> Mono<T> with(ConnectionFactory router, Work<T> work) {
        return Mono.usingWhen(router.create(), work::on, Connection::close);
    }

    static Mono<String> one(Connection connection, String sql, Object... values) {
        return all(connection, sql, values).map(rows -> rows.isEmpty() ? "" : rows.get(0));
    }

    private static Mono<List<String>> all(Connection connection, String sql, Object... values) {
        Statement statement = connection.createStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement = statement.bind(i, values[i]);
        }
        Publisher<? extends Result> results = statement.execute();
        return Flux.from(results)
                .concatMap(result ->
                        result.map((row, metadata) -> String.valueOf(Objects.requireNonNullElse(row.get(0), ""))))
                .collect(ArrayList<String>::new, ArrayList::add)
                .map(List::copyOf);
    }
}
