package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Servers come, go and change while requests run, and no request notices. */
@PostgresClusterTest(replicas = 2)
class TopologyIT {

    private static final String COUNT = "SELECT count(*) FROM note";

    private final PostgresCluster cluster;
    private final Queue<String> servedBy = new ConcurrentLinkedQueue<>();
    private final Queue<RoutingEvent> events = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private RoutingConnectionFactory factory;

    TopologyIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.awaitReplayed();
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .listener(decision -> {
                    if (decision.intent() == Intent.READ) {
                        servedBy.add(String.valueOf(decision.server()));
                    }
                });
        cluster.servers().forEach(server -> builder.server("db" + server.number(), url(server)));
        factory = Factories.ready(builder);
        var unused = factory.events().subscribe(events::add);
    }

    /** Its connections can be told from those of the test itself. */
    private static String url(PostgresServer server) {
        String url = server.r2dbcUrl();
        return url + (url.contains("?") ? "&" : "?") + "applicationName=routed";
    }

    @AfterEach
    void close() {
        over.set(true);
        Blocking.run(factory.close());
    }

    @Test
    void removesAServerUnderLoadWithoutAFailedRequestAndTakesItBack() {
        Load load = new Load();
        await().until(() -> servedBy.contains("db1") && servedBy.contains("db2"));
        PostgresServer removed = cluster.replica(0);

        Blocking.run(factory.topology().remove("db1"));
        servedBy.clear();
        await().until(() -> servedBy.size() > 200);

        assertThat(servedBy).doesNotContain("db1");
        assertThat(factory.serverNames()).containsExactly("db0", "db2");
        await().untilAsserted(() -> assertThat(removed.query(
                        "SELECT count(*)::text FROM pg_stat_activity WHERE backend_type = 'client backend'"
                                + " AND application_name = 'routed'"))
                .isEqualTo("0"));

        Blocking.run(factory.topology().add("db1", url(removed), spec -> spec.tags("back")));
        await().until(() -> servedBy.contains("db1"));

        assertThat(load.end()).isEmpty();
        await().untilAsserted(() -> assertThat(events)
                .contains(new RoutingEvent.ServerRemoved("db1"), new RoutingEvent.ServerAdded("db1")));
        assertThat(factory.topology().servers())
                .extracting(Topology.Server::name)
                .containsExactly("db0", "db2", "db1");
    }

    @Test
    void letsATransactionFinishOnAServerThatIsRemoved() {
        List<String> seen = Blocking.value(Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                .thenMany(Flux.concat(
                                        Queries.rows(connection, "SELECT inet_server_port()"),
                                        Flux.defer(() -> factory.topology()
                                                        .remove(servedBy.stream()
                                                                .reduce((one, last) -> last)
                                                                .orElseThrow()))
                                                .thenMany(Flux.empty()),
                                        Queries.rows(connection, "SELECT inet_server_port()")))
                                .collectList()
                                .flatMap(ports -> Mono.from(connection.commitTransaction())
                                        .thenReturn(ports)),
                        io.r2dbc.spi.Connection::close)
                .contextWrite(Routing.session(CausalSession.create())));

        assertThat(seen).hasSize(2);
        assertThat(Set.copyOf(seen)).hasSize(1);
        assertThat(factory.serverNames()).hasSize(2);
    }

    @Test
    void disablesAServerUnderLoadAndEnablesItAgain() {
        Load load = new Load();

        Blocking.run(factory.topology().disable("db2"));
        servedBy.clear();
        await().until(() -> servedBy.size() > 200);

        assertThat(servedBy).doesNotContain("db2");
        assertThat(state("db2").status()).isEqualTo(ServerStatus.DISABLED);
        assertThat(state("db2").position()).isNotNull();

        Blocking.run(factory.topology().enable("db2"));
        await().until(() -> servedBy.contains("db2"));

        assertThat(load.end()).isEmpty();
    }

    @Test
    void replacesAPolicyAndTagsUnderLoadWithoutAFailedRequest() {
        Load load = new Load();
        factory.replacePolicy("default", "tags(near); halt()");
        Blocking.run(factory.topology().tags("db1", "near"));
        for (int i = 0; i < 20; i++) {
            String near = i % 2 == 0 ? "db1" : "db2";
            factory.replacePolicy("default", i % 2 == 0 ? "tags(near, x); halt()" : "tags(near); halt()");
            Blocking.run(factory.topology().tags("db" + (i % 2 == 0 ? 1 : 2), "near"));
            Blocking.run(factory.topology().tags("db" + (i % 2 == 0 ? 2 : 1)));
            // what had been decided before may be told after that, by whoever is slow
            load.awaitNextRequests();
            servedBy.clear();
            await().until(() -> servedBy.size() > 50);

            assertThat(servedBy).containsOnly(near);
        }

        assertThat(load.end()).isEmpty();
    }

    @Test
    void goesOnWithAPrimaryThatIsDisabled() {
        Blocking.run(factory.topology().disable("db0"));

        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)"));

        assertThat(state("db0").status()).isEqualTo(ServerStatus.UP);
        assertThat(factory.topology().servers().get(0).enabled()).isFalse();
    }

    @Test
    void followsAPrimaryThatIsNamedAnewUnderAnotherName() {
        CausalToken before = Blocking.value(factory.capture());

        Blocking.run(factory.topology().remove("db0"));
        Blocking.run(factory.topology().add("leader", cluster.primary().r2dbcUrl(), spec -> {}));
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)"));

        assertThat(factory.table().primary()).map(ServerState::name).contains("leader");
        assertThat(factory.table().primary().orElseThrow().covers(before.positions()))
                .isTrue();
        assertThat(events).noneMatch(RoutingEvent.WritePossiblyLost.class::isInstance);
    }

    @Test
    void refusesWhatCannotBeDone() {
        Topology topology = factory.topology();
        Blocking.run(topology.remove("db1"));
        Blocking.run(topology.remove("db2"));

        assertThatThrownBy(() -> Blocking.run(topology.remove("db1")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("there is no server 'db1', only [db0]");
        assertThatThrownBy(() -> Blocking.run(topology.remove("db0")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is the last one");
        assertThatThrownBy(() -> Blocking.run(topology.tags("db0", "a b")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Blocking.run(topology.weight("db0", 0))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(
                        () -> Blocking.run(topology.add("db0", cluster.primary().r2dbcUrl(), spec -> {})))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("there are two servers named 'db0'");
        assertThat(topology.servers()).containsExactly(new Topology.Server("db0", List.of(), 1, true));
    }

    private ServerState state(String name) {
        return factory.table().servers().stream()
                .filter(server -> server.name().equals(name) && server.status() != ServerStatus.REMOVED)
                .findFirst()
                .orElseThrow();
    }

    /** Reads and writes without a pause, until its end. */
    private final class Load {

        private static final int WORKERS = 8;

        private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        private final AtomicIntegerArray begun = new AtomicIntegerArray(WORKERS);
        private final java.util.concurrent.CompletableFuture<Void> done = Flux.range(0, WORKERS)
                .flatMap(
                        worker -> Mono.defer(() -> {
                                    begun.incrementAndGet(worker);
                                    return request(worker);
                                })
                                .onErrorResume(failure -> {
                                    failures.add(failure);
                                    return Mono.empty();
                                })
                                .repeat(() -> !over.get()),
                        WORKERS)
                .then()
                .toFuture();

        /** Waits until each worker has begun another request: then all that were under way have ended. */
        void awaitNextRequests() {
            int[] before = IntStream.range(0, WORKERS).map(begun::get).toArray();
            await().until(() -> IntStream.range(0, WORKERS).allMatch(worker -> begun.get(worker) > before[worker]));
        }

        private Mono<Void> request(int worker) {
            return worker == 0
                    ? Queries.update(factory, "INSERT INTO note VALUES (1)")
                    // a session that had read from one server would stay with it
                    : Flux.defer(() -> Queries.rows(factory, COUNT)
                                    .contextWrite(Routing.read())
                                    .contextWrite(Routing.session(CausalSession.create())))
                            .then();
        }

        Set<String> end() {
            over.set(true);
            assertThat(done).succeedsWithin(30, TimeUnit.SECONDS);
            return failures.stream().map(Throwable::toString).collect(Collectors.toSet());
        }
    }
}
