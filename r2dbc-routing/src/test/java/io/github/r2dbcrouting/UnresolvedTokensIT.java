package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What had no position when a token was made is seen all the same by whoever goes on with it, through another router. */
@Alone
@PostgresClusterTest(replicas = 1)
class UnresolvedTokensIT {

    private static final Duration LIMIT = Duration.ofMillis(250);

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private final Queue<RoutingEvent> events = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory here;
    private RoutingConnectionFactory there;

    UnresolvedTokensIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(here.close());
        Blocking.run(there.close());
    }

    private void open(Safeguards safeguards) {
        here = Factories.ready(Factories.over(cluster, safeguards));
        there = Factories.ready(Factories.over(cluster, safeguards).listener(decisions::add));
        var unused = there.events().subscribe(events::add);
    }

    @FailsWithout(Safeguard.PENDING_WRITES)
    @Test
    void seesWhatWasStillBeingWrittenWhenTheTokenWasMade(Safeguards safeguards) {
        open(safeguards);
        cluster.replica(0).pauseReplay();
        CausalSession writer = CausalSession.create();

        CausalToken token = Blocking.value(Flux.usingWhen(
                        here.create(),
                        connection -> Mono.from(connection.beginTransaction())
                                .then(insert(connection))
                                .then(writer.token(LIMIT))
                                .flatMap(early -> Mono.from(connection.commitTransaction())
                                        .thenReturn(early)),
                        Connection::close)
                .single()
                .contextWrite(Routing.session(writer)));

        assertThat(token.unresolved()).singleElement().satisfies(mark -> {
            assertThat(mark.after()).isNotNull();
            assertThat(mark.until()).isPositive();
        });
        CausalSession reader = CausalSession.resume(CausalToken.parse(token.encode()));
        assertThat(read(reader)).containsExactly("1");
        // it cannot be known here when that write ended, so whoever goes on from here reads the primary, too
        assertThat(Blocking.value(reader.token()).isUnresolved()).isTrue();
    }

    @FailsWithout(Safeguard.PENDING_WRITES)
    @Test
    void seesWhatHadBeenWrittenAndFindsItsPosition(Safeguards safeguards) {
        open(safeguards);
        CausalToken token = unresolved(position());
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (1)");
        CausalSession reader = CausalSession.resume(token);

        assertThat(read(reader)).containsExactly("1");

        CausalToken resolved = Blocking.value(reader.token());
        assertThat(resolved.isUnresolved()).isFalse();
        assertThat(resolved.positions()).isNotEmpty();
        cluster.replica(0).resumeReplay();
        await().until(() ->
                there.explain(Routing.read(), CausalSession.resume(resolved)).role() == ServerRole.REPLICA);
        decisions.clear();
        assertThat(read(CausalSession.resume(resolved))).containsExactly("1");
        assertThat(decisions).extracting(RouteDecision::role).containsExactly(ServerRole.REPLICA);
        assertThat(events).noneMatch(RoutingEvent.WritePossiblyLost.class::isInstance);
    }

    @Test
    void tellsThatAWriteOfAnEarlierBranchMayBeLost() {
        open(Safeguards.all());
        CausalToken token = unresolved(position());
        cluster.replica(0).promote();
        await().until(() -> there.table()
                .primary()
                .filter(primary -> primary.name().equals("db1"))
                .isPresent());

        CausalSession reader = CausalSession.resume(token);
        assertThat(read(reader)).isEmpty();

        assertThat(Blocking.value(reader.token()).isUnresolved()).isFalse();
        await().until(() -> events.stream().anyMatch(RoutingEvent.WritePossiblyLost.class::isInstance));
    }

    private static Mono<Long> insert(Connection connection) {
        return Flux.from(connection
                        .createStatement("INSERT INTO note VALUES (1)")
                        .execute())
                .flatMap(result -> result.getRowsUpdated(), 1)
                .single();
    }

    private List<String> read(CausalSession session) {
        return Blocking.value(Queries.rows(there, "SELECT id FROM note")
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(session)));
    }

    private Position position() {
        return Objects.requireNonNull(Blocking.value(here.capture()).positions().get(0));
    }

    private static CausalToken unresolved(Position before) {
        return CausalToken.of(List.of(), List.of(new Unresolved(before.cluster(), before, Unresolved.ENDED)));
    }
}
