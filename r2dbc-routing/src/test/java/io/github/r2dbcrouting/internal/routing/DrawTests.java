package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Whom does a draw leave alone, and for how long does it remember? */
class DrawTests {

    private static final int DRAWS = 20_000;
    private static final int REPLICAS = 4;
    private static final Duration EJECTION = Duration.ofSeconds(1);

    private final AtomicLong time = new AtomicLong();
    private final Ejections ejections = new Ejections(time::get);
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final RoutingTable table = table(3, ServerStatus.UP);

    private static RoutingTable table(long version, ServerStatus first) {
        List<ServerState> servers = new ArrayList<>();
        for (int i = 0; i <= REPLICAS; i++) {
            servers.add(new ServerState(
                    i,
                    "db" + i,
                    List.of(),
                    i == 0 ? ServerRole.PRIMARY : ServerRole.REPLICA,
                    i == 1 ? first : ServerStatus.UP,
                    null,
                    new ServerIdentity("7", "start " + i),
                    1,
                    false,
                    null));
        }
        return new RoutingTable(version, servers, servers.get(0), "7");
    }

    private Router router(boolean primaryReads) {
        return new Router(
                server -> 0,
                random::nextInt,
                Safeguards.all(),
                ejections,
                () -> 0,
                Duration.ZERO,
                new Router.Preferences(Policies.NONE, primaryReads, LoadBalancer.random()));
    }

    private Router router(Load load, LoadBalancer balancer) {
        return new Router(
                load,
                random::nextInt,
                Safeguards.all(),
                ejections,
                time::get,
                Duration.ZERO,
                new Router.Preferences(Policies.NONE, false, balancer));
    }

    private double[] shares(Router router, int... tried) {
        return someShares(router, DRAWS, tried);
    }

    private double[] someShares(Router router, int draws, int... tried) {
        BitSet avoid = new BitSet();
        for (int server : tried) {
            avoid.set(server);
        }
        Ask any = Ask.of(Routing.read().freshness(Freshness.any()), null);
        double[] shares = new double[REPLICAS + 1];
        for (int i = 0; i < draws; i++) {
            shares[router.choose(table, any, avoid).server().index()] += 1.0 / draws;
        }
        return shares;
    }

    private void eject(int... servers) {
        for (int server : servers) {
            for (int i = 0; i < Ejections.FAILURES; i++) {
                ejections.failed(server, REPLICAS);
            }
        }
    }

    private void pass(Duration duration) {
        time.addAndGet(duration.toNanos());
    }

    @Test
    void givesWhoeverStartsItsShareAndTheOthersTheRest() {
        eject(1);
        double[] ejected = shares(router(false));
        pass(EJECTION);
        double[] starting = shares(router(false));
        pass(Duration.ofMillis(2_500));
        double[] half = shares(router(false));
        pass(Duration.ofMillis(2_500));
        double[] back = shares(router(false));

        assertThat(ejected[1]).isZero();
        assertThat(starting[1]).as("seed %s", seed).isCloseTo(0.1 / REPLICAS, within(0.01));
        assertThat(half[1]).as("seed %s", seed).isCloseTo(0.55 / REPLICAS, within(0.02));
        assertThat(back[1]).as("seed %s", seed).isCloseTo(1.0 / REPLICAS, within(0.02));
        for (int other = 2; other <= REPLICAS; other++) {
            assertThat(starting[other]).as("seed %s", seed).isCloseTo((1 - starting[1]) / 3, within(0.02));
        }
    }

    @Test
    void prefersTheOneThatIsBackForLongerWhereAllStart() {
        eject(1);
        pass(EJECTION);
        pass(Duration.ofMillis(2_500));
        eject(2);
        pass(EJECTION);

        double[] shares = shares(router(false), 3, 4);

        assertThat(shares[2]).as("seed %s", seed).isCloseTo(0.1 / 2, within(0.01));
        assertThat(shares[1] + shares[2]).isCloseTo(1, within(1e-6));
    }

    @Test
    void takesTheOneThatIsBackSoonestWhereAllAreEjected() {
        eject(1);
        pass(Duration.ofMillis(10));
        eject(2);

        double[] shares = shares(router(false), 3, 4);

        assertThat(shares[1]).isCloseTo(1, within(1e-6));
    }

    @Test
    void doesNotSendThePrimaryWhatTheReplicasAreLeftAloneWith() {
        eject(1);
        pass(EJECTION);
        Router router = router(true);

        double[] starting = shares(router, 2, 3, 4);

        assertThat(starting[0]).as("seed %s", seed).isCloseTo(0.5, within(0.02));
        eject(1);
        double[] ejected = shares(router, 2, 3, 4);
        assertThat(ejected[1]).as("nobody else is a replica").isCloseTo(1, within(1e-6));
    }

    @Test
    void showsTheBalancerWhoIsEligibleAndHowEachFares() {
        List<String> shown = new ArrayList<>();
        Load load = new Load() {
            @Override
            public int inFlight(int server) {
                return server * 10;
            }

            @Override
            public double latency(int server, long now) {
                // the present, and not what another clock says
                return Math.abs(System.nanoTime() - now) < Duration.ofMinutes(1).toNanos() ? server : -1;
            }
        };
        Router router = router(load, (candidates, draw) -> {
            for (int i = 0; i < candidates.size(); i++) {
                shown.add(candidates.name(i) + ": " + candidates.inFlight(i) + " in flight, " + candidates.latency(i)
                        + " ns, weight " + Math.round(candidates.weight(i) * 100) + " %");
            }
            return 0;
        });
        router.prepare(table(1, ServerStatus.DOWN));
        pass(Duration.ofSeconds(1));
        router.prepare(table(2, ServerStatus.UP));
        pass(Duration.ofMillis(2_500));

        double[] shares = someShares(router, 1, 3, 4);

        assertThat(shares[1]).isEqualTo(1);
        assertThat(shown)
                .containsExactly("db1: 10 in flight, 1.0 ns, weight 55 %", "db2: 20 in flight, 2.0 ns, weight 100 %");
    }

    @Test
    void drawsItselfWhereABalancerChoosesNobody() {
        Router tooFar = router(server -> 0, (candidates, draw) -> candidates.size());
        Router before = router(server -> 0, (candidates, draw) -> -1);
        Router failing = router(server -> 0, (candidates, draw) -> {
            throw new IllegalStateException("expected");
        });

        for (Router router : List.of(tooFar, before, failing)) {
            double[] shares = someShares(router, 400);

            assertThat(shares[0]).isZero();
            for (int replica = 1; replica <= REPLICAS; replica++) {
                assertThat(shares[replica]).as("seed %s", seed).isPositive();
            }
        }
    }

    @Test
    void dividesASetOnceUntilAnotherFails() {
        Prepared prepared = router(false).prepared(table);
        EligibleSet all = prepared.lookUp(Need.NOTHING, null, () -> 0);
        eject(1);

        Fit first = all.fit(ejections.outliers(), ejections::sooner);
        pass(Duration.ofMillis(1));
        Fit again = all.fit(ejections.outliers(), ejections::sooner);
        eject(2);
        Fit other = all.fit(ejections.outliers(), ejections::sooner);

        assertThat(again).isSameAs(first);
        assertThat(first.admitted()).hasToString("{2, 3, 4}");
        assertThat(first.steady()).isSameAs(first.admitted());
        assertThat(other.admitted()).hasToString("{3, 4}");
        pass(EJECTION);
        Fit starting = all.fit(ejections.outliers(), ejections::sooner);
        assertThat(starting.admitted()).as("nobody is left out").isSameAs(all);
        assertThat(starting.steady()).hasToString("{3, 4}");
    }
}
