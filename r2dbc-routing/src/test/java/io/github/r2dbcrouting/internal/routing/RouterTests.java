package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RouterTests {

    private static final BitSet NOBODY = new BitSet();

    private final int[] inFlight = new int[8];
    private final Random random = new Random(1);
    private final AtomicLong time = new AtomicLong();
    private final Ejections ejections = new Ejections(time::get);
    private final Router router = new Router(
            server -> inFlight[server],
            random::nextInt,
            Safeguards.all(),
            ejections,
            () -> 0,
            Duration.ZERO,
            Router.Preferences.NONE);
    private final SessionState session = new SessionState();

    private final ServerState primary = server(0, ServerRole.PRIMARY, ServerStatus.UP, 100);
    private final ServerState near = tagged(server(1, ServerRole.REPLICA, ServerStatus.UP, 90), "near");
    private final ServerState far = tagged(server(2, ServerRole.REPLICA, ServerStatus.UP, 50), "far");
    private final ServerState gone = server(0, ServerRole.UNKNOWN, ServerStatus.DOWN, null, true);
    private final RoutingTable table = table(primary, near, far);

    @Test
    void sendsAWriteToThePrimary() {
        Route route = router.choose(table, Ask.of(Routing.write(), session), NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.WRITE);
        assertThat(route.onPrimary()).isTrue();
    }

    @Test
    void sendsAReadOfTheLatestToThePrimary() {
        Route route = router.choose(table, read(Freshness.latest()), NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.LATEST);
    }

    @Test
    void sendsAReadThatAsksForNothingToAReplica() {
        Route route = router.choose(table, read(Freshness.any()), NOBODY);

        assertThat(route.server()).isIn(near, far);
        assertThat(route.reason()).isEqualTo(Reason.NOTHING_TO_COVER);
        assertThat(route.required()).isEmpty();
        assertThat(route.onPrimary()).isFalse();
    }

    @Test
    void sendsACausalReadOnlyToAReplicaThatCoversItsToken() {
        session.observe(token(60));

        for (int round = 0; round < 100; round++) {
            Route route = router.choose(table, read(Freshness.causal()), NOBODY);

            assertThat(route.server()).isSameAs(near);
            assertThat(route.reason()).isEqualTo(Reason.COVERS_TOKEN);
            assertThat(route.required()).containsExactly(position(60));
        }
    }

    @Test
    void sendsACausalReadThatNoReplicaCoversToThePrimary() {
        session.observe(token(91));

        Route route = router.choose(table, read(Freshness.causal()), NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.NO_REPLICA_COVERS);
    }

    @Test
    void lendsTheReplicaThatIsExactlyAtTheToken() {
        session.observe(token(90));

        assertThat(router.choose(table, read(Freshness.causal()), NOBODY).server())
                .isSameAs(near);
    }

    @Test
    void sendsAReadToThePrimaryWhileItsSessionHasAWritePending() {
        PendingWrite write = session.begin("7", false, () -> {});

        Route route = router.choose(table, read(Freshness.causal()), NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.WRITE_PENDING);
        write.settle(token(10), 0);
        assertThat(router.choose(table, read(Freshness.causal()), NOBODY).onPrimary())
                .isFalse();
    }

    @Test
    void ignoresAPendingWriteThatDoesNotConcernTheRead() {
        PendingWrite elsewhere = session.begin("8", false, () -> {});

        assertThat(router.choose(table, read(Freshness.causal()), NOBODY).onPrimary())
                .isFalse();
        PendingWrite own = session.begin("7", false, () -> {});
        assertThat(router.choose(table, read(Freshness.any()), NOBODY).onPrimary())
                .isFalse();
        assertThat(List.of(elsewhere, own)).hasSize(2);
    }

    @Test
    void overlooksAPendingWriteOnlyWithoutTheSafeguard() {
        Router careless = new Router(
                server -> 0,
                random::nextInt,
                Safeguards.without(Safeguard.PENDING_WRITES),
                ejections,
                () -> 0,
                Duration.ZERO,
                Router.Preferences.NONE);
        PendingWrite write = session.begin("7", false, () -> {});

        assertThat(careless.choose(table, read(Freshness.causal()), NOBODY).onPrimary())
                .isFalse();
        write.settle(token(1), 0);
    }

    @Test
    void requiresNothingOfAForeignCluster() {
        session.observe(CausalToken.of(List.of(new WalPosition("8", 1, 999))));

        Route route = router.choose(table, read(Freshness.causal()), NOBODY);

        assertThat(route.onPrimary()).isFalse();
        assertThat(route.reason()).isEqualTo(Reason.NOTHING_TO_COVER);
    }

    @Test
    void trustsNoReplicaWithATokenOfAnotherTimeline() {
        session.observe(CausalToken.of(List.of(new WalPosition("7", 2, 1))));

        assertThat(router.choose(table, read(Freshness.causal()), NOBODY).server())
                .isSameAs(primary);
    }

    @Test
    void routesToPrimaryWhenEveryReplicaIsTooOldOrSilent() {
        RoutingTable old = table(
                primary,
                new ServerState(
                        1,
                        "db1",
                        List.of(),
                        ServerRole.REPLICA,
                        ServerStatus.UP,
                        position(90),
                        identity(1),
                        1,
                        true,
                        null),
                server(2, ServerRole.REPLICA, ServerStatus.SUSPECT, 90),
                server(3, ServerRole.REPLICA, ServerStatus.DOWN, 90),
                server(4, ServerRole.REPLICA, ServerStatus.REFUSED, 90),
                server(5, ServerRole.UNKNOWN, ServerStatus.UNKNOWN, 90));

        Route route = router.choose(old, read(Freshness.any()), NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.NO_REPLICA);
    }

    @Test
    void avoidsServersThatWereTried() {
        assertThat(router.choose(table, read(Freshness.any()), tried(1)).server())
                .isSameAs(far);
        assertThat(router.choose(table, read(Freshness.any()), tried(2)).server())
                .isSameAs(near);
        assertThat(router.choose(table, read(Freshness.any()), tried(1, 2)).server())
                .isSameAs(primary);
    }

    @Test
    void sendsAWriteToThePrimaryAlsoAfterThatWasTried() {
        assertThat(router.choose(table, Ask.of(Routing.write(), null), tried(0)).server())
                .isSameAs(primary);
    }

    @Test
    void readsFromReplicasWithoutAPrimary() {
        RoutingTable headless = new RoutingTable(1, List.of(gone, near, far), null, "7");
        session.observe(token(60));

        assertThat(router.choose(headless, read(Freshness.any()), NOBODY).server())
                .isIn(near, far);
        assertThat(router.choose(headless, read(Freshness.causal()), NOBODY).server())
                .isSameAs(near);
    }

    @Test
    void servesNeitherWritesNorUncoveredReadsWithoutAPrimary() {
        RoutingTable headless = new RoutingTable(1, List.of(gone, near, far), null, "7");
        session.observe(token(91));

        for (Ask ask : List.of(Ask.of(Routing.write(), session), read(Freshness.latest()), read(Freshness.causal()))) {
            Route route = router.choose(headless, ask, NOBODY);

            assertThat(route.server()).isNull();
            assertThat(route.reason()).isEqualTo(Reason.NO_SERVER);
            assertThat(route.onPrimary()).isFalse();
        }
    }

    @Test
    void servesNothingFromTheEmptyTable() {
        RoutingTable empty = new RoutingTable(0, List.of(), null, null);

        assertThat(router.choose(empty, read(Freshness.any()), NOBODY).server()).isNull();
        assertThat(router.choose(empty, Ask.of(Routing.write(), null), NOBODY).server())
                .isNull();
    }

    @Test
    void takesTheLessLoadedOfTwo() {
        inFlight[1] = 5;
        inFlight[2] = 4;

        for (int round = 0; round < 100; round++) {
            assertThat(router.choose(table, read(Freshness.any()), NOBODY).server())
                    .isSameAs(far);
        }
    }

    @Test
    void sendsNothingToTheMostLoadedOfThree() {
        ServerState third = server(3, ServerRole.REPLICA, ServerStatus.UP, 90);
        inFlight[1] = 9;
        int[] chosen = new int[4];

        for (int round = 0; round < 3_000; round++) {
            chosen[
                    router.choose(table(primary, near, far, third), read(Freshness.any()), NOBODY)
                            .server()
                            .index()]++;
        }

        assertThat(chosen[0]).isZero();
        assertThat(chosen[1]).isZero();
        assertThat(chosen[2]).isBetween(1_000, 2_000);
        assertThat(chosen[3]).isBetween(1_000, 2_000);
    }

    @Test
    void spreadsReadsEvenlyOverEquallyLoadedReplicas() {
        ServerState third = server(3, ServerRole.REPLICA, ServerStatus.UP, 90);
        RoutingTable three = table(near, far, third, server(0, ServerRole.PRIMARY, ServerStatus.UP, 100));
        int[] chosen = new int[4];

        for (int round = 0; round < 6_000; round++) {
            int server =
                    router.choose(three, read(Freshness.any()), NOBODY).server().index();
            chosen[server]++;
        }

        assertThat(chosen[0]).isZero();
        for (int replica = 1; replica <= 3; replica++) {
            assertThat(chosen[replica]).isBetween(1_700, 2_300);
        }
    }

    @Test
    void explainsEachRefusal() {
        RoutingTable mixed = table(
                primary,
                near,
                far,
                server(3, ServerRole.REPLICA, ServerStatus.DOWN, 90),
                new ServerState(
                        4, "db4", List.of(), ServerRole.REPLICA, ServerStatus.UP, null, identity(4), 1, true, null),
                server(5, ServerRole.REPLICA, ServerStatus.UP, 90));
        session.observe(token(60));
        Ask ask = read(Freshness.causal());

        RouteDecision decision = router.explain(router.choose(mixed, ask, tried(5)), ask, tried(5));

        assertThat(decision.server()).isEqualTo("db1");
        assertThat(decision.role()).isEqualTo(ServerRole.REPLICA);
        assertThat(decision.intent()).isEqualTo(Intent.READ);
        assertThat(decision.candidates())
                .containsExactly(
                        new Candidate("db0", Refusal.WRONG_ROLE),
                        new Candidate("db1", null),
                        new Candidate("db2", Refusal.BEHIND_TOKEN),
                        new Candidate("db3", Refusal.NOT_UP),
                        new Candidate("db4", Refusal.TOO_FAR_BEHIND),
                        new Candidate("db5", Refusal.FAILED));
    }

    @Test
    void explainsAPendingWrite() {
        PendingWrite write = session.begin("7", false, () -> {});
        Ask ask = read(Freshness.causal());

        RouteDecision decision = router.explain(router.choose(table, ask, NOBODY), ask, NOBODY);

        assertThat(decision.server()).isEqualTo("db0");
        assertThat(decision.candidates())
                .extracting(Candidate::refusal)
                .containsExactly(null, Refusal.WRITE_PENDING, Refusal.WRITE_PENDING);
        write.settle(token(1), 0);
    }

    @Test
    void explainsThatNobodyCanServe() {
        RoutingTable headless = new RoutingTable(1, List.of(), null, null);
        Ask ask = Ask.of(Routing.write(), null);

        RouteDecision decision = router.explain(router.choose(headless, ask, NOBODY), ask, NOBODY);

        assertThat(decision.server()).isNull();
        assertThat(decision.role()).isEqualTo(ServerRole.UNKNOWN);
        assertThat(decision.candidates()).isEmpty();
    }

    @Test
    void explainsWhatItChooses() {
        Random draw = new Random(99);

        for (int round = 0; round < 20_000; round++) {
            RoutingTable any = anyTable(draw);
            SessionState anySession = new SessionState();
            if (draw.nextInt(3) > 0) {
                anySession.observe(CausalToken.of(List.of(anyPosition(draw))));
            }
            PendingWrite write = draw.nextInt(4) == 0 ? anySession.begin("7", false, () -> {}) : null;
            Routing entry = draw.nextInt(4) == 0 ? Routing.write() : Routing.read();
            Freshness freshness = List.of(Freshness.any(), Freshness.causal(), Freshness.latest())
                    .get(draw.nextInt(3));
            Ask ask = Ask.of(entry.freshness(freshness), draw.nextInt(5) == 0 ? null : anySession);
            BitSet tried = BitSet.valueOf(new long[] {draw.nextInt(4) == 0 ? draw.nextInt(32) : 0});

            Route route = router.choose(any, ask, tried);
            RouteDecision decision = router.explain(route, ask, tried);

            String picture = any + "\n" + ask + " tried " + tried + " -> " + decision;
            assertThat(decision.candidates()).as(picture).hasSameSizeAs(any.servers());
            List<String> eligible = decision.candidates().stream()
                    .filter(candidate -> candidate.refusal() == null)
                    .map(Candidate::server)
                    .toList();
            ServerState chosen = route.server();
            if (chosen == null) {
                assertThat(eligible).as(picture).isEmpty();
                assertThat(decision.server()).as(picture).isNull();
            } else if (route.onPrimary()) {
                assertThat(eligible).as(picture).containsExactly(chosen.name());
            } else {
                assertThat(eligible).as(picture).contains(chosen.name());
                assertThat(chosen.covers(route.required())).as(picture).isTrue();
                assertThat(write != null && ask.causal()).as(picture).isFalse();
                for (String name : eligible) {
                    assertThat(reachable(any, ask, tried, name)).as(picture).isTrue();
                }
            }
            assertThat(decision.toString()).as(picture).doesNotContain("\n");
        }
    }

    /** Whether some draw chooses the server. */
    private boolean reachable(RoutingTable any, Ask ask, BitSet tried, String name) {
        int wanted = any.servers().stream()
                .filter(server -> server.name().equals(name))
                .findFirst()
                .orElseThrow()
                .index();
        Router eager = new Router(
                server -> server == wanted ? 0 : 1,
                random::nextInt,
                Safeguards.all(),
                ejections,
                () -> 0,
                Duration.ZERO,
                Router.Preferences.NONE);
        for (int attempt = 0; attempt < 200; attempt++) {
            if (eager.choose(any, ask, tried).server().index() == wanted) {
                return true;
            }
        }
        return false;
    }

    /** A table as the monitor may publish it: whoever is a primary and is not followed, is refused. */
    private static RoutingTable anyTable(Random draw) {
        List<ServerState> servers = new ArrayList<>();
        ServerState followed = null;
        boolean reached = false;
        for (int index = draw.nextInt(5); index >= 0; index--) {
            int at = servers.size();
            int kind = draw.nextInt(6);
            if (kind == 0) {
                servers.add(new ServerState(
                        at,
                        "db" + at,
                        List.of(),
                        ServerRole.UNKNOWN,
                        draw.nextBoolean() ? ServerStatus.UNKNOWN : ServerStatus.DOWN,
                        null,
                        null,
                        0,
                        true,
                        null));
                continue;
            }
            reached = true;
            ServerStatus status = List.of(
                            ServerStatus.UP,
                            ServerStatus.UP,
                            ServerStatus.SUSPECT,
                            ServerStatus.DOWN,
                            ServerStatus.REFUSED)
                    .get(draw.nextInt(5));
            if (kind == 1) {
                boolean usable = status == ServerStatus.UP || status == ServerStatus.SUSPECT;
                boolean loses = followed != null && usable;
                ServerState server =
                        server(at, ServerRole.PRIMARY, loses ? ServerStatus.REFUSED : status, anyPosition(draw), false);
                followed = usable && !loses ? server : followed;
                servers.add(server);
            } else {
                Position position = draw.nextInt(6) == 0 ? null : anyPosition(draw);
                servers.add(server(at, ServerRole.REPLICA, status, position, position == null || draw.nextInt(6) == 0));
            }
        }
        return new RoutingTable(1, servers, followed, reached ? "7" : null);
    }

    private static WalPosition anyPosition(Random draw) {
        return new WalPosition("7", 1 + draw.nextInt(8) / 7, draw.nextInt(10));
    }

    private Ask read(Freshness freshness) {
        return Ask.of(Routing.read().freshness(freshness), session);
    }

    private static BitSet tried(int... servers) {
        BitSet all = new BitSet();
        for (int server : servers) {
            all.set(server);
        }
        return all;
    }

    @Test
    void staysWithTheReplicaThatTheSessionHasReadFrom() {
        session.beginRead(floors, identity(2), 1, 5).ended(6);

        for (int round = 0; round < 100; round++) {
            Route route = router.choose(table, read(Freshness.causal()), NOBODY);

            assertThat(route.server()).isSameAs(far);
            assertThat(route.seen()).hasSize(1);
            assertThat(route.awaitsFloors()).isFalse();
        }
        assertThat(router.choose(table, read(Freshness.any()), NOBODY).seen()).isEmpty();
    }

    @Test
    void staysWithTheReplicaThatTheSessionHasReadFromUnderEachOfItsNames() {
        ServerState sameAsFar = identified(near, identity(2));
        ServerState other = server(3, ServerRole.REPLICA, ServerStatus.UP, 100);
        RoutingTable twins = table(primary, sameAsFar, far, other);
        session.beginRead(floors, identity(2), 1, 5).ended(6);

        assertThat(router.choose(twins, read(Freshness.causal()), NOBODY).server())
                .isSameAs(sameAsFar);
        assertThat(router.choose(twins, read(Freshness.causal()), tried(1)).server())
                .isSameAs(far);
        Route elsewhere = router.choose(twins, read(Freshness.causal()), tried(1, 2));
        assertThat(elsewhere.server()).isSameAs(primary);
        assertThat(elsewhere.awaitsFloors()).isTrue();
    }

    @Test
    void leavesTheReplicaThatTheSessionHasReadFromOnceItIsEjectedAndAnotherMayServe() {
        session.beginRead(floors, identity(2), 1, 5).ended(6);
        Ask ask = read(Freshness.causal());
        eject(2);

        Route route = router.choose(table, ask, NOBODY);

        assertThat(route.awaitsFloors()).isTrue();
        assertThat(route.server()).isSameAs(primary);
        for (int round = 0; round < 50; round++) {
            assertThat(router.choose(table, ask.afterFloors(), NOBODY).server()).isSameAs(near);
        }
        assertThat(router.choose(table, ask, tried(1)).server())
                .as("nobody else may serve")
                .isSameAs(far);
        time.addAndGet(Duration.ofMinutes(1).toNanos());
        assertThat(router.choose(table, ask, NOBODY).server()).as("it is back").isSameAs(far);
    }

    @Test
    void admitsAReplicaThatIsHeldWhereThePolicyCouldHaveChosenIt() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(near); tags(far)");
        Ask usual = read(Freshness.any());
        Ask all = Ask.of(Routing.read().policy("all"), null);
        Route route = byPolicy.choose(table, usual, NOBODY);

        assertThat(byPolicy.admits(route, usual, NOBODY, near.index())).isTrue();
        assertThat(byPolicy.admits(route, usual, NOBODY, far.index())).isFalse();
        assertThat(byPolicy.admits(route, all, NOBODY, far.index())).isTrue();
        assertThat(byPolicy.admits(route, usual, tried(1), far.index())).isTrue();
        assertThat(byPolicy.admits(route, usual, tried(1), near.index())).isFalse();
    }

    @Test
    void awaitsFloorsWhereTheReplicaThatTheSessionHasReadFromCannotServe() {
        session.beginRead(floors, identity(2), 1, 5).ended(6);
        session.observe(token(60));
        Ask ask = read(Freshness.causal());

        Route route = router.choose(table, ask, NOBODY);
        RouteDecision decision = router.explain(route, ask, NOBODY);

        assertThat(route.server()).isSameAs(primary);
        assertThat(route.reason()).isEqualTo(Reason.WRITE_PENDING);
        assertThat(route.awaitsFloors()).isTrue();
        assertThat(decision.candidates())
                .containsExactly(
                        new Candidate("db0", null),
                        new Candidate("db1", Refusal.SEEN_ELSEWHERE),
                        new Candidate("db2", Refusal.BEHIND_TOKEN));
        assertThat(router.choose(table, ask.afterFloors(), NOBODY).server()).isSameAs(near);
    }

    @Test
    void awaitsFloorsAfterReadsFromTwoReplicasAndAgreesOnOneAfterwards() {
        session.beginRead(floors, identity(2), 1, 5).ended(6);
        session.beginRead(floors, identity(1), 1, 5).ended(6);
        Ask ask = read(Freshness.causal());

        assertThat(router.choose(table, ask, NOBODY).awaitsFloors()).isTrue();
        for (int round = 0; round < 100; round++) {
            assertThat(router.choose(table, ask.afterFloors(), NOBODY).server()).isSameAs(near);
        }
    }

    @Test
    void awaitsFloorsAfterAReadFromThePrimary() {
        PendingWrite pending = session.beginRead("7", false, () -> {}, floors);
        Ask ask = read(Freshness.causal());

        Route route = router.choose(table, ask, NOBODY);
        assertThat(route.awaitsFloors()).isTrue();
        assertThat(router.explain(route, ask, NOBODY).candidates())
                .contains(new Candidate("db1", Refusal.WRITE_PENDING), new Candidate("db2", Refusal.WRITE_PENDING));
        assertThat(router.choose(table, read(Freshness.any()), NOBODY).awaitsFloors())
                .isFalse();
        pending.settle(token(60), 9);
        assertThat(router.choose(table, ask, NOBODY).server()).isSameAs(near);
    }

    private final Floors floors = new Floors() {
        @Override
        public void find(SightedFloor floor) {}

        @Override
        public long now() {
            return 7;
        }
    };

    private static RoutingTable table(ServerState... servers) {
        List<ServerState> inOrder = new ArrayList<>(List.of(servers));
        inOrder.sort(java.util.Comparator.comparingInt(ServerState::index));
        ServerState first = inOrder.stream()
                .filter(server -> server.role() == ServerRole.PRIMARY)
                .findFirst()
                .orElse(null);
        return new RoutingTable(1, inOrder, first, "7");
    }

    private static ServerState server(int index, ServerRole role, ServerStatus status, long lsn) {
        return server(index, role, status, position(lsn), false);
    }

    private static ServerState server(
            int index, ServerRole role, ServerStatus status, Position position, boolean tooFarBehind) {
        return new ServerState(
                index, "db" + index, List.of(), role, status, position, identity(index), 1, tooFarBehind, null);
    }

    private static ServerState tagged(ServerState server, String... tags) {
        return new ServerState(
                server.index(),
                server.name(),
                List.of(tags),
                server.role(),
                server.status(),
                server.position(),
                server.identity(),
                server.sampledAt(),
                server.tooFarBehind(),
                server.problem());
    }

    private static ServerState identified(ServerState server, ServerIdentity identity) {
        return new ServerState(
                server.index(),
                server.name(),
                server.tags(),
                server.role(),
                server.status(),
                server.position(),
                identity,
                server.sampledAt(),
                server.tooFarBehind(),
                server.problem());
    }

    private static ServerIdentity identity(int index) {
        return new ServerIdentity("7", "start " + index);
    }

    private static CausalToken token(long lsn) {
        return CausalToken.of(List.of(position(lsn)));
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }

    @Test
    void leavesAnEjectedReplicaAlone() {
        eject(1);

        for (int round = 0; round < 50; round++) {
            assertThat(router.choose(table, read(Freshness.any()), NOBODY).server())
                    .isSameAs(far);
        }
        Route route = router.choose(table, read(Freshness.any()), NOBODY);
        assertThat(router.explain(route, read(Freshness.any()), NOBODY).candidates())
                .contains(new Candidate(near.name(), Refusal.EJECTED), new Candidate(far.name(), null));
    }

    @Test
    void triesAnEjectedReplicaWhereNobodyElseIsEligible() {
        eject(1);
        session.observe(token(60));

        assertThat(router.choose(table, read(Freshness.causal()), NOBODY).server())
                .isSameAs(near);
    }

    @Test
    void doesNotGoBackToAnEjectedReplicaThatTheRequestHasTried() {
        eject(1);
        session.observe(token(60));
        BitSet tried = new BitSet();
        tried.set(1);

        assertThat(router.choose(table, read(Freshness.causal()), tried).onPrimary())
                .isTrue();
    }

    @Test
    void sendsAReadWithABoundOfAgeOnlyToAReplicaThatIsSurelyNoOlder() {
        RoutingTable aged = aged(Duration.ofMillis(100), Duration.ofMillis(300));

        for (int round = 0; round < 20; round++) {
            Route route = router.choose(aged, read(Freshness.atMost(Duration.ofMillis(200))), NOBODY);
            assertThat(route.server().name()).isEqualTo("db1");
            assertThat(route.reason()).isEqualTo(Reason.FRESH_ENOUGH);
            assertThat(route.bound()).isEqualTo(Duration.ofMillis(200));
        }
        assertThat(router.choose(aged, read(Freshness.atMost(Duration.ofMillis(100))), NOBODY)
                        .onPrimary())
                .isFalse();
        Ask younger = read(Freshness.atMost(Duration.ofMillis(99)));
        Route route = router.choose(aged, younger, NOBODY);
        assertThat(route.onPrimary()).isTrue();
        assertThat(route.reason()).isEqualTo(Reason.NO_REPLICA_FRESH);
        assertThat(router.explain(route, younger, NOBODY).candidates())
                .containsExactly(
                        new Candidate("db0", null),
                        new Candidate("db1", Refusal.TOO_OLD),
                        new Candidate("db2", Refusal.TOO_OLD));
    }

    @Test
    void holdsAReplicaForTooOldWhoseAgeIsNotKnown() {
        assertThat(router.choose(table, read(Freshness.atMost(Duration.ofHours(1))), NOBODY)
                        .onPrimary())
                .isTrue();
    }

    @Test
    void predictsByHowLongTheReplicasLatelyTook() {
        RoutingTable caught =
                table.withLags(server -> new Lag(Lag.NEVER, Duration.ofMillis(server.index() == 1 ? 50 : 5_000)));
        Ask ask = read(Freshness.causal());

        assertThat(router.predicts(caught, ask, NOBODY, Duration.ofMillis(50))).isTrue();
        assertThat(router.predicts(caught, ask, NOBODY, Duration.ofMillis(49))).isFalse();
        assertThat(router.predicts(caught, ask, tried(1), Duration.ofMillis(50)))
                .as("it has failed the request")
                .isFalse();
        assertThat(router.predicts(caught, ask, NOBODY, Duration.ZERO)).isFalse();
        session.begin("7", false, () -> {});
        assertThat(router.predicts(caught, ask, NOBODY, Duration.ofMillis(50)))
                .as("nothing can be said while a write has no position")
                .isFalse();
    }

    @Test
    void predictsByTheOthersWhereTheQuickestHasFailedTheRequest() {
        RoutingTable caught =
                table.withLags(server -> new Lag(Lag.NEVER, Duration.ofMillis(server.index() == 1 ? 50 : 60)));
        Ask ask = read(Freshness.causal());

        assertThat(router.predicts(caught, ask, tried(1), Duration.ofMillis(60)))
                .isTrue();
        assertThat(router.predicts(caught, ask, tried(1), Duration.ofMillis(59)))
                .isFalse();
        assertThat(router.predicts(caught, ask, tried(1, 2), Duration.ofMillis(60)))
                .isFalse();
    }

    @Test
    void appliesAPolicyToAServerThatIsAdded() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(far); halt()");
        Ask any = read(Freshness.any());

        assertThat(byPolicy.choose(table(primary, near), any, NOBODY).server()).isNull();
        assertThat(byPolicy.choose(table, any, NOBODY).server()).isSameAs(far);
        assertThat(byPolicy.choose(table(primary, near), any, NOBODY).server()).isNull();
    }

    @Test
    void explainsThatTheSessionWroteLately() {
        session.primaryFor(Duration.ofHours(1).toNanos());
        PendingWrite write = session.begin("7", false, () -> {});
        write.settle(token(10), 1);
        Ask ask = read(Freshness.causal());

        Route route = router.choose(table, ask, NOBODY);

        assertThat(route.reason()).isEqualTo(Reason.WROTE_LATELY);
        assertThat(route.onPrimary()).isTrue();
        assertThat(route.fallsBack()).as("no budget bounds what was asked for").isFalse();
        assertThat(router.explain(route, ask, NOBODY).candidates())
                .contains(new Candidate("db1", Refusal.WROTE_LATELY), new Candidate("db2", Refusal.WROTE_LATELY));
        assertThat(router.choose(table, read(Freshness.any()), NOBODY).onPrimary())
                .isFalse();
        session.primaryFor(0);
        assertThat(router.choose(table, ask, NOBODY).onPrimary()).isFalse();
    }

    /** The router's clock stands at 0. */
    private RoutingTable aged(Duration one, Duration other) {
        return table.withLags(server -> switch (server.index()) {
            case 1 -> new Lag(-one.toNanos(), Duration.ZERO);
            case 2 -> new Lag(-other.toNanos(), Duration.ZERO);
            default -> Lag.UNKNOWN;
        });
    }

    private void eject(int server) {
        for (int failure = 0; failure < Ejections.FAILURES; failure++) {
            ejections.failed(server, 2);
        }
    }

    private Router withPolicy(Safeguards inForce, String text) {
        return new Router(
                server -> inFlight[server],
                random::nextInt,
                inForce,
                ejections,
                () -> 0,
                Duration.ZERO,
                new Router.Preferences(
                        new Policies(Map.of(Policies.DEFAULT, Policy.parse(text), "all", Policy.parse("all()"))),
                        false,
                        LoadBalancer.powerOfTwoChoices()));
    }

    @Test
    void choosesByPolicyAmongTheReplicas() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(far); tags(near)");

        for (int round = 0; round < 50; round++) {
            assertThat(byPolicy.choose(table, read(Freshness.any()), NOBODY).server())
                    .isSameAs(far);
        }
        assertThat(byPolicy.choose(table, read(Freshness.any()), tried(2)).server())
                .isSameAs(near);
    }

    @Test
    void countsForThePolicyOnlyReplicasThatAreFreshEnough() {
        session.observe(token(60));
        String text = "tags(far)->min(1); tags(near)";
        Router byPolicy = withPolicy(Safeguards.all(), text);
        Router careless = withPolicy(Safeguards.without(Safeguard.FRESHNESS_FIRST), text);

        assertThat(byPolicy.choose(table, read(Freshness.causal()), NOBODY).server())
                .isSameAs(near);
        assertThat(careless.choose(table, read(Freshness.causal()), NOBODY).server())
                .isSameAs(primary);
    }

    @Test
    void turnsToThePrimaryWhereThePolicyIsFreshOutOfReplicasUnlessItHalts() {
        session.observe(token(95));
        Ask ask = read(Freshness.causal());

        Route open = withPolicy(Safeguards.all(), "tags(near)").choose(table, ask, NOBODY);
        Route halted = withPolicy(Safeguards.all(), "tags(near); halt()").choose(table, ask, NOBODY);

        assertThat(open.server()).isSameAs(primary);
        assertThat(open.halted()).isFalse();
        assertThat(halted.server()).isNull();
        assertThat(halted.halted()).isTrue();
    }

    @Test
    void keepsWritesAndReadsOfTheLatestOnThePrimaryWhateverThePolicy() {
        Router halting = withPolicy(Safeguards.all(), "halt()");

        assertThat(halting.choose(table, Ask.of(Routing.write(), session), NOBODY)
                        .server())
                .isSameAs(primary);
        assertThat(halting.choose(table, read(Freshness.latest()), NOBODY).server())
                .isSameAs(primary);
    }

    @Test
    void waitsForThePositionOfAPendingWriteWhereThePolicyHalts() {
        PendingWrite write = session.begin("7", false, () -> {});

        Route route =
                withPolicy(Safeguards.all(), "tags(near); halt()").choose(table, read(Freshness.causal()), NOBODY);

        assertThat(route.halted()).isTrue();
        write.settle(token(1), 0);
    }

    @Test
    void saysWhichPolicyRefusedWhom() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(near)");
        Ask ask = read(Freshness.any());

        RouteDecision decision = byPolicy.explain(byPolicy.choose(table, ask, NOBODY), ask, NOBODY);

        assertThat(decision.policy()).isEqualTo("default");
        assertThat(decision.candidates())
                .containsExactly(
                        new Candidate("db0", Refusal.WRONG_ROLE),
                        new Candidate("db1", null),
                        new Candidate("db2", Refusal.NOT_IN_POLICY));
        assertThat(router.explain(router.choose(table, ask, NOBODY), ask, NOBODY)
                        .policy())
                .isNull();
    }

    @Test
    void knowsThePoliciesByName() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(near)");
        Ask other = Ask.of(Routing.read().policy("all"), null);
        Ask unknown = Ask.of(Routing.read().policy("none"), null);

        assertThat(byPolicy.choose(table, other, tried(1)).server()).isSameAs(far);
        assertThatThrownBy(() -> byPolicy.choose(table, unknown, NOBODY))
                .isInstanceOf(UnknownPolicyException.class)
                .hasMessageContaining("[all, default]");
        assertThat(byPolicy.servable(table, other)).isTrue();
        assertThat(withPolicy(Safeguards.all(), "tags(mars); halt()").servable(table, read(Freshness.any())))
                .isFalse();
    }

    @Test
    void choosesByTheNewPolicyOnceOneIsReplaced() {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(near)");
        byPolicy.prepare(table);
        Policies before = byPolicy.policies();

        byPolicy.replacePolicy("default", Policy.parse("tags(far)"));
        byPolicy.replacePolicy("new", Policy.parse("halt()"));

        assertThat(byPolicy.choose(table, read(Freshness.any()), NOBODY).server())
                .isSameAs(far);
        assertThat(byPolicy.choose(table, Ask.of(Routing.read().policy("new"), null), NOBODY)
                        .halted())
                .isTrue();
        assertThat(before.byName()).containsEntry("default", Policy.parse("tags(near)"));
        assertThat(byPolicy.policies().byName()).containsOnlyKeys("all", "default", "new");
    }

    @Test
    void goesByOneWholeSetOfPoliciesWhileTheyAreReplaced() throws Exception {
        Router byPolicy = withPolicy(Safeguards.all(), "tags(near); halt()");
        AtomicBoolean over = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            for (int i = 0; !over.get(); i++) {
                byPolicy.replacePolicy(
                        "default", Policy.parse(i % 2 == 0 ? "tags(far); halt()" : "tags(near); halt()"));
            }
        });
        writer.start();

        try {
            for (int i = 0; i < 50_000; i++) {
                assertThat(byPolicy.choose(table, read(Freshness.any()), NOBODY).server())
                        .isIn(near, far);
            }
        } finally {
            over.set(true);
            writer.join();
        }
    }

    @Test
    void goesOnWhereABalancerOfOnesOwnFails() {
        for (LoadBalancer broken : List.<LoadBalancer>of(
                (candidates, draw) -> candidates.size(), (candidates, draw) -> -1, (candidates, draw) -> {
                    throw new IllegalStateException("on purpose");
                })) {
            Router byBalancer = new Router(
                    server -> 0,
                    random::nextInt,
                    Safeguards.all(),
                    ejections,
                    () -> 0,
                    Duration.ZERO,
                    new Router.Preferences(Policies.NONE, false, broken));

            assertThat(byBalancer.choose(table, read(Freshness.any()), NOBODY).server())
                    .isIn(near, far);
        }
    }

    @Test
    void agesLatenciesByTheTimeOfTheTableAndNotOfEachRead() {
        List<Long> asked = new ArrayList<>();
        Load load = new Load() {
            @Override
            public int inFlight(int server) {
                return 0;
            }

            @Override
            public double latency(int server, long now) {
                asked.add(now);
                return 1;
            }
        };
        Router router = new Router(
                load,
                random::nextInt,
                Safeguards.all(),
                ejections,
                time::get,
                Duration.ZERO,
                new Router.Preferences(Policies.NONE, false, LoadBalancer.powerOfTwoChoices()));
        long before = System.nanoTime();

        router.prepare(table);
        long prepared = System.nanoTime();
        router.choose(table, read(Freshness.any()), NOBODY);
        router.choose(table, read(Freshness.any()), NOBODY);
        RoutingTable next = table(primary, near, far);
        router.prepare(next);
        router.choose(next, read(Freshness.any()), NOBODY);

        assertThat(asked).hasSize(6);
        assertThat(Set.copyOf(asked.subList(0, 4))).singleElement().satisfies(now -> {
            assertThat(now - before).isNotNegative();
            assertThat(prepared - now).isNotNegative();
        });
        assertThat(asked.get(4) - prepared).isNotNegative();
    }

    @Test
    void describesHowTheServersStand() {
        Load load = new Load() {
            @Override
            public int inFlight(int server) {
                return server;
            }

            @Override
            public double latency(int server, long now) {
                return server == 1 ? 1_234_567 : 0;
            }
        };
        AtomicLong clock = new AtomicLong();
        Router telling = new Router(
                load,
                random::nextInt,
                Safeguards.all(),
                ejections,
                clock::get,
                Duration.ZERO,
                new Router.Preferences(
                        Policies.NONE.with("default", Policy.parse("tags(far)")).with("all", Policy.parse("all()")),
                        false,
                        LoadBalancer.powerOfTwoChoices()));
        RoutingTable aged = aged(Duration.ofMillis(100), Duration.ofMillis(300));
        telling.prepare(aged);
        eject(1);
        clock.set(Duration.ofMillis(1_500).toNanos());

        assertThat(telling.describe(aged)).isEqualTo("""
            server  role     state    since    tags  position            behind  lag      in flight  latency  weight  policies     problem
            db0 *   primary  up       1500 ms  -     0/64 on timeline 1  -       -        0          -        1       -
            db1     replica  ejected  1500 ms  near  0/5A on timeline 1  10 B    1600 ms  1          1.23 ms  1       all
            db2     replica  up       1500 ms  far   0/32 on timeline 1  50 B    1800 ms  2          -        1       all,default
            """);
    }
}
