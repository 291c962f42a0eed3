package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

class LeaseCheckTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Fixture fixture = new Fixture();
    private final FakeConnection driver = new FakeConnection(fixture.server);
    private final FakeConnection pooled = new FakeConnection(fixture.server);
    private final LeaseCheck check = new LeaseCheck(fixture.monitor.tables(), true, fixture.monitor::now);

    @Test
    void believesASampleThatWasSentWhileTheConnectionWasOpen() {
        Lease lease = replica(0x1000);
        tick();
        fixture.server.position = 0x2000;
        publish();

        StepVerifier.create(check.confirm(lease, route(position(0x2000)), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(asked()).isZero();
        assertNotGivenBack();
    }

    @Test
    void asksWhereTheConnectionIsYoungerThanTheSample() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish();
        Lease lease = replica(0x1000);
        fixture.server.position = 0x2000;

        StepVerifier.create(check.confirm(lease, route(position(0x2000)), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(asked()).isEqualTo(1);
        assertNotGivenBack();
    }

    @Test
    void refusesAYoungerConnectionThatHasGoneBack() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish();
        Lease lease = replica(0x1000);

        StepVerifier.create(check.confirm(lease, route(position(0x2000)), Mono::just))
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void asksNotWhereTheConnectionSaidEnoughItselfWhenItWasOpened() {
        fixture.server.role = ServerRole.REPLICA;
        publish();
        Lease lease = replica(0x1000);

        StepVerifier.create(check.confirm(lease, route(position(0x1000)), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(asked()).isZero();
    }

    @Test
    void asksNotForAReadThatRequiresNothing() {
        fixture.server.role = ServerRole.REPLICA;
        publish();
        Lease lease = replica(0x1000);

        StepVerifier.create(check.confirm(lease, route(), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(asked()).isZero();
    }

    @Test
    void asksWhereTheSampleIsOfAnotherLife() {
        Lease lease = replica(0x1000);
        tick();
        fixture.server.startedAt = "another time";
        fixture.server.position = 0x2000;
        publish();
        fixture.server.position = 0x1000;

        StepVerifier.create(check.confirm(lease, route(position(0x2000)), Mono::just))
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);
        assertThat(asked()).isEqualTo(1);
        assertGivenBackClosed();
    }

    @Test
    void doesNotBelieveANewProcessThatItFollowsWhomItFollowedBefore() {
        fixture.server.timeline = 2;
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish(Lineage.of(2, List.of(position(0x1000))));
        fixture.server.startedAt = "another time";
        Lease lease = replica(0x2000);

        StepVerifier.create(check.confirm(lease, route(fixture.server.at()), Mono::just))
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void believesANewProcessOfAClusterThatNeverHadAnotherPrimary() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish(Lineage.of(1, List.of()));
        fixture.server.startedAt = "another time";
        Lease lease = replica(0x2000);

        StepVerifier.create(check.confirm(lease, route(fixture.server.at()), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void keepsAConnectionForTheNextSampleWhichCannotSayOnWhichBranchItIs() {
        fixture.server.timeline = 2;
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish(Lineage.of(2, List.of(position(0x1000))));
        Position required = fixture.server.at();
        fixture.server.timeline = 1;
        fixture.server.branchCertain = false;
        Lease lease = replica(0x2000);

        StepVerifier.create(check.confirm(lease, route(required), Mono::just))
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);
        assertThat(pooled.closes()).as("given back").isEqualTo(1);
        assertThat(driver.closes()).as("and left open").isZero();
    }

    @Test
    void believesAnySampleOnlyWithoutTheSafeguard() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish();
        Lease lease = replica(0x1000);

        StepVerifier.create(new LeaseCheck(fixture.monitor.tables(), false, fixture.monitor::now)
                        .confirm(lease, route(position(0x2000)), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void refusesAConnectionToAnotherCluster() {
        fixture.server.cluster = "8";
        Lease lease = replica(0x1000);
        fixture.server.cluster = "7";
        publish();

        StepVerifier.create(check.confirm(lease, route(), Mono::just))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(UnfitConnectionException.class)
                        .hasMessageContaining("another cluster"))
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void refusesAReplicaThatMayNoLongerBeReadFrom() {
        for (ServerStatus status : List.of(ServerStatus.SUSPECT, ServerStatus.DOWN, ServerStatus.REFUSED)) {
            FakeConnection own = new FakeConnection(fixture.server);
            fixture.server.role = ServerRole.REPLICA;
            Lease lease = fixture.lease(own, new FakeConnection(fixture.server));
            fixture.monitor.tables().publish(table(status));

            StepVerifier.create(check.confirm(lease, route(), Mono::just))
                    .expectError(UnfitConnectionException.class)
                    .verify(LIMIT);
            assertThat(own.closes()).isEqualTo(1);
        }
    }

    @Test
    void refusesAReplicaThatWasPromotedMeanwhile() {
        Lease lease = replica(0x1000);
        fixture.server.role = ServerRole.PRIMARY;
        publish();

        StepVerifier.create(check.confirm(lease, route(), Mono::just))
                .expectError(UnfitConnectionException.class)
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void lendsAConnectionToTheFollowedPrimary() {
        Lease lease = fixture.lease(driver, pooled);
        publish();

        StepVerifier.create(check.confirm(lease, route(), Mono::just))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertNotGivenBack();
    }

    @Test
    void refusesAPrimaryThatIsNoLongerFollowed() {
        Lease lease = fixture.lease(driver, pooled);
        ServerState state = fixture.state();
        fixture.monitor.tables().publish(new RoutingTable(1, List.of(state), null, "7"));

        StepVerifier.create(check.confirm(lease, route(), Mono::just))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(UnfitConnectionException.class)
                        .hasMessageContaining("primary"))
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void givesTheConnectionBackWhenCancelledWhileItAsks() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish();
        Lease lease = replica(0x1000);
        fixture.engine.latency = Duration.ofMillis(10);

        Disposable waiting =
                check.confirm(lease, route(position(0x2000)), Mono::just).subscribe();
        assertNotGivenBack();
        waiting.dispose();

        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void closesTheConnectionWhenAskingFails() {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = 0x2000;
        publish();
        Lease lease = replica(0x1000);
        fixture.engine.failing = new IllegalStateException("expected");

        StepVerifier.create(check.confirm(lease, route(position(0x2000)), Mono::just))
                .expectErrorMessage("expected")
                .verify(LIMIT);
        assertGivenBackClosed();
    }

    @Test
    void givesTheConnectionBackWhenCancelledWhileItRefuses() {
        fixture.server.cluster = "8";
        Lease lease = replica(0x1000);
        fixture.server.cluster = "7";
        publish();
        driver.closing = reactor.core.publisher.Mono.delay(Duration.ofMillis(10), fixture.time)
                .then();

        check.confirm(lease, route(), Mono::just).subscribe().dispose();
        fixture.time.advanceTimeBy(Duration.ofMillis(10));

        assertThat(pooled.closes()).isEqualTo(1);
    }

    /** A lease of a connection on which the server said that it is a replica at the position. */
    private Lease replica(long position) {
        fixture.server.role = ServerRole.REPLICA;
        fixture.server.position = position;
        return fixture.lease(driver, pooled);
    }

    private void tick() {
        fixture.time.advanceTimeBy(Duration.ofNanos(1));
    }

    private void publish(Lineage line) {
        RoutingTable table = table(ServerStatus.UP);
        fixture.monitor.tables().publish(new RoutingTable(1, table.servers(), null, "7", line, RoutingTable.NOBODY));
    }

    private void publish() {
        fixture.monitor.tables().publish(table(ServerStatus.UP));
    }

    private RoutingTable table(ServerStatus status) {
        ServerState known = fixture.state();
        ServerState state = new ServerState(
                0,
                known.name(),
                known.tags(),
                known.role(),
                status,
                known.position(),
                known.identity(),
                known.sampledAt(),
                false,
                null);
        return new RoutingTable(1, List.of(state), known.role() == ServerRole.PRIMARY ? state : null, "7");
    }

    private Route route(Position... required) {
        return new Route(
                fixture.state(),
                Reason.COVERS_TOKEN,
                List.of(required),
                fixture.monitor.tables().current());
    }

    private int asked() {
        return fixture.engine.count(fixture.server, Kind.OBSERVE);
    }

    private void assertNotGivenBack() {
        assertThat(pooled.closes()).isZero();
        assertThat(driver.closes()).isZero();
    }

    private void assertGivenBackClosed() {
        assertThat(driver.closes()).isEqualTo(1);
        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(fixture.pool.inFlight()).isZero();
    }

    private static Position position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
