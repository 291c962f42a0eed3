package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Does a connection go on to read from the replica that it holds? */
class HeldReplicaTests {

    private final FakeCluster cluster = new FakeCluster(2);
    private final FallbackBudget fallbacks = new FallbackBudget(() -> 2, 256);
    private final RoutedConnection connection = new RoutedConnection(
            cluster.lender(
                    new Policies(Map.of("one", Policy.parse("tags(db1); halt()"), "other", Policy.parse("tags(db2)"))),
                    new RetryBudget(() -> 0),
                    fallbacks),
            cluster.engine,
            null,
            false,
            null);
    private final List<String> ranOn = new ArrayList<>();

    @BeforeEach
    void start() {
        cluster.start();
        for (FakeServer server : cluster.servers) {
            server.executing = sql -> FakeResult.statement(Flux.defer(() -> {
                ranOn.add(server.name());
                // as from a driver, which answers after the call: by then the statement is no longer being sent
                return Flux.just(FakeResult.of(FakeResult.row())).delaySubscription(Duration.ofMillis(5));
            }));
        }
    }

    @AfterEach
    void nothingIsLeft() {
        Blocking.run(connection.close());
        cluster.assertNothingIsLent();
        assertThat(cluster.servers)
                .allSatisfy(server -> assertThat(server.opened()).hasSizeLessThanOrEqualTo(2));
    }

    /** Whoever severs it may be late. */
    @Test
    void leavesAPrimaryForTheOneThatIsFollowedSince() {
        read(Routing.write());
        cluster.servers.get(1).timeline = 2;
        cluster.servers.get(1).role = ServerRole.PRIMARY;
        cluster.passes();
        assertThat(cluster.monitor.tables().current().primary())
                .map(ServerState::name)
                .contains("db1");

        read(Routing.write());

        assertThat(ranOn).containsExactly("db0", "db1");
    }

    @Test
    void readsOnFromItAsLongAsItMayHaveBeenChosen() {
        Routing any = Routing.read().freshness(Freshness.any());
        read(any.policy("other"));

        read(any);
        read(any);

        assertThat(ranOn).containsExactly("db2", "db2", "db2");
        assertThat(lent()).containsExactly(0, 0, 1);
    }

    @Test
    void leavesItForAReadUnderAnotherPolicy() {
        read(Routing.read().policy("one"));
        read(Routing.read().policy("other"));
        read(Routing.read().policy("one"));

        assertThat(ranOn).containsExactly("db1", "db2", "db1");
        assertThat(lent()).containsExactly(0, 1, 0);
    }

    @Test
    void leavesItForAReadThatItIsTooFarBehindFor() {
        read(Routing.read());
        cluster.servers.get(0).position = 0x3000;
        cluster.servers.get(2).position = 0x3000;
        cluster.passes();
        CausalSession session = CausalSession.resume(CausalToken.of(List.of(new WalPosition("7", 1, 0x2000))));

        Blocking.run(Mono.from(reading(Routing.read())).contextWrite(Routing.session(session)));

        assertThat(ranOn).containsExactly("db1", "db2");
    }

    @Test
    void leavesItOnceItHasFailedOthers() {
        read(Routing.read());
        eject(1);

        read(Routing.read());

        assertThat(ranOn).containsExactly("db1", "db2");
    }

    @Test
    void staysAlsoWithAFailingOneIfThereIsNoOther() {
        read(Routing.read().policy("one"));
        eject(1);

        read(Routing.read().policy("one"));

        assertThat(ranOn).containsExactly("db1", "db1");
        assertThat(cluster.servers.get(1).opened()).hasSize(2);
    }

    @Test
    void keepsItWhileItIsReadFrom() {
        Result unread = Blocking.value(
                Flux.<Result>from(connection.createStatement("SELECT 1").execute())
                        .contextWrite(Routing.read().policy("one"))
                        .single());

        read(Routing.read().policy("other"));

        assertThat(ranOn).containsExactly("db1", "db0");
        Blocking.run(unread.getRowsUpdated());
    }

    private void eject(int server) {
        for (int failure = 0; failure < Ejections.FAILURES; failure++) {
            cluster.ejections.failed(server, 2);
        }
    }

    private List<Integer> lent() {
        return cluster.pools.stream().map(ServerPool::inFlight).toList();
    }

    private void read(Routing entry) {
        Blocking.run(reading(entry));
    }

    private Mono<Void> reading(Routing entry) {
        return Flux.<Result>from(connection.createStatement("SELECT 1").execute())
                .concatMap(Result::getRowsUpdated)
                .then()
                .contextWrite(entry);
    }
}
