package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.ServerDescription;
import io.github.r2dbcrouting.spi.StoredTopology;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What do the tables in the schema {@code r2dbc_routing} say? */
final class RoutingSchema {

    private RoutingSchema() {}

    /** Asked first: a question for a table that is not there would leave a line in the server's log each time. */
    private static final String EXISTS =
            "SELECT (to_regclass('r2dbc_routing.server') IS NOT NULL AND to_regclass('r2dbc_routing.policy') IS NOT NULL)"
                    + "::text";

    private static final String SERVERS =
            "SELECT name, host, port, tags, weight::float8, enabled FROM r2dbc_routing.server ORDER BY name LIMIT 1024";

    /** One that is too long to be followed is not read whole: the table may lack the check. */
    private static final String POLICIES =
            "SELECT name, left(text, 10001) FROM r2dbc_routing.policy ORDER BY name LIMIT 1024";

    static Mono<StoredTopology> read(Connection connection) {
        Mono<List<ServerDescription>> servers = all(connection, SERVERS, RoutingSchema::server);
        Mono<Map<String, String>> policies = all(connection, POLICIES, row -> new String[] {text(row, 0), text(row, 1)})
                .map(rows -> rows.stream().collect(Collectors.toMap(row -> row[0], row -> row[1])));
        return all(connection, EXISTS, row -> text(row, 0)).flatMap(exist -> {
            if (!exist.contains("true")) {
                return Mono.error(
                        new IllegalStateException("there are no tables r2dbc_routing.server and r2dbc_routing.policy"));
            }
            return servers.flatMap(said -> policies.map(texts -> new StoredTopology(said, texts)));
        });
    }

    private static ServerDescription server(Row row) {
        String[] tags = row.get(3, String[].class);
        return new ServerDescription(
                text(row, 0),
                row.get(1, String.class),
                row.get(2, Integer.class),
                tags == null ? null : List.of(tags),
                row.get(4, Double.class),
                !Boolean.FALSE.equals(row.get(5, Boolean.class)));
    }

    private static String text(Row row, int column) {
        String value = row.get(column, String.class);
        return value == null ? "" : value;
    }

    private static <T> Mono<List<T>> all(Connection connection, String sql, Function<Row, T> mapping) {
        return Flux.defer(() -> connection.createStatement(sql).execute())
                .concatMap(result -> result.map((row, metadata) -> mapping.apply(row)))
                .collectList();
    }
}
