package io.github.r2dbcrouting.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LoadBalancerTests {

    private static final int DRAWS = 30_000;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    static Stream<LoadBalancer> all() {
        return Stream.of(
                LoadBalancer.powerOfTwoChoices(),
                LoadBalancer.roundRobin(),
                LoadBalancer.random(),
                LoadBalancer.leastInFlight(),
                LoadBalancer.nearest(LoadBalancer.DEFAULT_WINDOW));
    }

    @ParameterizedTest
    @MethodSource("all")
    void takesTheOnlyOne(LoadBalancer balancer) {
        assertThat(balancer.choose(servers(1).busy(0, 1_000), random::nextInt)).isZero();
    }

    @ParameterizedTest
    @MethodSource("all")
    void sharesEquallyAmongEquals(LoadBalancer balancer) {
        assertShares(balancer, servers(4), 0.25, 0.25, 0.25, 0.25);
    }

    @Test
    void avoidsTheBusyOneOfTwoDrawn() {
        Servers servers = servers(3).busy(0, 5);

        // it is never the better of two
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0, 0.5, 0.5);
        assertShares(LoadBalancer.leastInFlight(), servers, 0, 0.5, 0.5);
        assertShares(LoadBalancer.roundRobin(), servers, 1 / 3.0, 1 / 3.0, 1 / 3.0);
    }

    @Test
    void doesNotRunToTheBestOfAll() {
        Servers servers = servers(4).busy(1, 1).busy(2, 1).busy(3, 1);

        // among two of four it is in half of the draws
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0.5, 1 / 6.0, 1 / 6.0, 1 / 6.0);
    }

    @Test
    void avoidsTheSlowOneOfTwoDrawn() {
        Servers servers = servers(3).slow(0, 9_000).slow(1, 1_000).slow(2, 1_000);

        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0, 0.5, 0.5);
        servers.busy(1, 9).busy(2, 9);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 2 / 3.0, 1 / 6.0, 1 / 6.0);
    }

    @Test
    void triesOneThatHasNotAnsweredYetWithOneRequest() {
        Servers servers = servers(2).slow(0, 1_000);

        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0, 1);
        servers.busy(0, 100).busy(1, 1);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 1, 0);
        servers.slow(0, 0);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0, 1);
    }

    @Test
    void drawsByWeight() {
        Servers servers = servers(3).heavy(0, 2).heavy(1, 1).heavy(2, 1);

        assertShares(LoadBalancer.random(), servers, 0.5, 0.25, 0.25);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0.5, 0.25, 0.25);
        assertShares(LoadBalancer.leastInFlight(), servers, 1, 0, 0);
        servers.busy(0, 1);
        assertShares(LoadBalancer.leastInFlight(), servers, 1 / 3.0, 1 / 3.0, 1 / 3.0);
    }

    @Test
    void letsTheHeavierBearMoreAtOnce() {
        Servers servers = servers(2).slow(0, 1_000).slow(1, 1_000).heavy(0, 3);

        servers.busy(0, 5).busy(1, 2);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 1, 0);
        servers.busy(0, 7);
        assertShares(LoadBalancer.powerOfTwoChoices(), servers, 0, 1);
    }

    @Test
    void drawsByWeightFromManyOfVeryDifferentWeight() {
        Servers servers = servers(4).heavy(0, 100).heavy(1, 50).heavy(2, 50).heavy(3, 0.001);

        assertShares(LoadBalancer.random(), servers, 0.5, 0.25, 0.25, 0);
    }

    @Test
    void isFoundByItsName() {
        all().forEach(balancer -> {
            String[] words = balancer.toString().split(" within ", -1)[0].split(" ", -1);
            StringBuilder name = new StringBuilder(words[0]);
            for (int i = 1; i < words.length; i++) {
                name.append(Character.toUpperCase(words[i].charAt(0))).append(words[i].substring(1));
            }
            assertThat(LoadBalancer.named(name.toString())).get().hasToString(balancer.toString());
        });
        assertThat(LoadBalancer.named("ROUNDROBIN")).isPresent();
        assertThat(LoadBalancer.named("best")).isEmpty();
    }

    @Test
    void drawsFromTheNearest() {
        Servers servers = servers(4)
                .slow(0, 1_000_000)
                .slow(1, 2_000_000)
                .slow(2, 3_000_001)
                .slow(3, 9_000_000);

        assertShares(LoadBalancer.nearest(Duration.ofMillis(2)), servers, 0.5, 0.5, 0, 0);
        assertShares(LoadBalancer.nearest(Duration.ZERO), servers, 1, 0, 0, 0);
        assertThatThrownBy(() -> LoadBalancer.nearest(Duration.ofMillis(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("PT-0.001S");
    }

    @Test
    void goesRoundBeyondTheLargestCount() {
        LoadBalancer balancer = LoadBalancer.roundRobin();

        assertThat(Stream.generate(() -> balancer.choose(servers(3), random::nextInt))
                        .limit(7))
                .containsExactly(0, 1, 2, 0, 1, 2, 0);
    }

    private void assertShares(LoadBalancer balancer, Servers servers, double... expected) {
        int[] counts = new int[expected.length];
        for (int i = 0; i < DRAWS; i++) {
            counts[balancer.choose(servers, random::nextInt)]++;
        }
        for (int i = 0; i < expected.length; i++) {
            // five standard deviations of a draw at even odds
            assertThat(counts[i] / (double) DRAWS)
                    .as("share of %d by %s, seed %d", i, balancer, seed)
                    .isBetween(expected[i] - 0.015, expected[i] + 0.015);
        }
    }

    private static Servers servers(int size) {
        return new Servers(size);
    }

    private static final class Servers implements LoadBalancer.Candidates {

        private final int[] inFlight;
        private final double[] latencies;
        private final double[] weights;

        Servers(int size) {
            inFlight = new int[size];
            latencies = new double[size];
            weights = new double[size];
            java.util.Arrays.fill(weights, 1);
        }

        Servers busy(int server, int requests) {
            inFlight[server] = requests;
            return this;
        }

        Servers slow(int server, double nanos) {
            latencies[server] = nanos;
            return this;
        }

        Servers heavy(int server, double weight) {
            weights[server] = weight;
            return this;
        }

        @Override
        public int size() {
            return inFlight.length;
        }

        @Override
        public String name(int candidate) {
            return "db" + candidate;
        }

        @Override
        public double weight(int candidate) {
            return weights[candidate];
        }

        @Override
        public int inFlight(int candidate) {
            return inFlight[candidate];
        }

        @Override
        public double latency(int candidate) {
            return latencies[candidate];
        }
    }
}
