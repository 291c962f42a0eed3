package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.R2dbcException;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** What a role without any grant writes to a history is found wherever that history goes, and nowhere else. */
@PostgresClusterTest(replicas = 2)
class HistoryMarksIT {

    private final PostgresEngine engine = new PostgresEngine();
    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private final PostgresServer replica;
    private final PostgresServer other;

    HistoryMarksIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.primary();
        this.replica = cluster.replica(0);
        this.other = cluster.replica(1);
    }

    @BeforeEach
    void role() {
        primary.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
        cluster.awaitReplayed();
    }

    @Test
    void isFoundOnAReplicaOnceItHasComeSoFar() {
        other.pauseReplay();
        HistoryMark mark = mark(primary);

        await().until(() -> position(replica).covers(mark.at()));
        assertThat(bears(replica, mark)).isTrue();
        assertThat(position(other).covers(mark.at())).isFalse();
        assertThat(bears(other, mark)).isFalse();
        assertThat(bears(primary, mark)).isTrue();
    }

    @Test
    void costsNoTransactionNumbersButItsOwnAndNoData() {
        long before = Long.parseLong(primary.query("SELECT pg_snapshot_xmax(pg_current_snapshot())"));

        mark(primary);

        long after = Long.parseLong(primary.query("SELECT pg_snapshot_xmax(pg_current_snapshot())"));
        assertThat(after - before).isBetween(33L, 40L);
    }

    @Test
    void isNotFoundInTheHistoryOfARivalThatHasOneOfItsOwnAtTheSamePlace() {
        primary.stop();
        replica.promote();
        other.promote();

        HistoryMark here = mark(replica);
        HistoryMark there = mark(other);

        assertThat(here.at().branch()).isEqualTo(there.at().branch());
        assertThat(bears(replica, here)).isTrue();
        assertThat(bears(other, there)).isTrue();
        assertThat(bears(other, here)).isFalse();
        assertThat(bears(replica, there)).isFalse();
    }

    @Test
    void saysThatItNoLongerKnowsRatherThanNo() {
        HistoryMark ancient = new HistoryMark(position(primary), "100+");

        Mono<String> found = on(
                primary,
                connection ->
                        engine.bears(connection, ancient).map(String::valueOf).defaultIfEmpty("forgotten"));

        assertThat(Blocking.value(found)).isEqualTo("forgotten");
    }

    @Test
    void isNotWrittenWhereItsFunctionsAreTakenAwayAndLeavesItsConnectionUsable() {
        primary.execute("REVOKE EXECUTE ON FUNCTION pg_current_xact_id() FROM PUBLIC");
        try {
            Mono<String> asked = on(
                    primary,
                    connection -> engine.introduce(connection)
                            .flatMap(introduction -> engine.mark(connection, introduction)
                                    .map(mark -> "written")
                                    .defaultIfEmpty("refused")
                                    .flatMap(outcome -> engine.observe(connection, introduction)
                                            .thenReturn(outcome))));

            assertThat(Blocking.value(asked)).isEqualTo("refused");
        } finally {
            primary.execute("GRANT EXECUTE ON FUNCTION pg_current_xact_id() TO PUBLIC");
        }
    }

    @Test
    void isNotWrittenToAReplica() {
        assertThatThrownBy(() -> mark(replica)).isInstanceOf(R2dbcException.class);
    }

    private HistoryMark mark(PostgresServer server) {
        return Blocking.value(on(
                server,
                connection ->
                        engine.introduce(connection).flatMap(introduction -> engine.mark(connection, introduction))));
    }

    private boolean bears(PostgresServer server, HistoryMark mark) {
        return Blocking.value(on(server, connection -> engine.bears(connection, mark)));
    }

    private Position position(PostgresServer server) {
        return Blocking.value(on(
                server,
                connection -> engine.introduce(connection)
                        .map(introduction -> introduction.observation().position())));
    }

    private static <T> Mono<T> on(PostgresServer server, Function<Connection, Mono<T>> question) {
        String url = "r2dbc:postgresql://plain:plain@" + server.host() + ":" + server.port() + "/" + server.database();
        return Mono.usingWhen(Mono.from(ConnectionFactories.get(url).create()), question, Connection::close);
    }
}
