package io.github.r2dbcrouting.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.spi.LoadBalancer.Candidates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The balancer that the documentation shows: the same lines as there. */
class BalancerExampleTests {

    /** Prefers one server, as long as that has little to do. */
    static final class NightShift implements LoadBalancer {

        @Override
        public int choose(Candidates candidates, IntUnaryOperator random) {
            for (int i = 0; i < candidates.size(); i++) {
                if (candidates.name(i).equals("night") && candidates.inFlight(i) < 10) {
                    return i;
                }
            }
            return random.applyAsInt(candidates.size());
        }
    }

    @Test
    void choosesAsThePageSays() {
        LoadBalancer balancer = new NightShift();

        assertThat(balancer.choose(servers(9), bound -> 0)).isEqualTo(1);
        assertThat(balancer.choose(servers(10), bound -> 0)).isZero();
    }

    @Test
    void isWhatThePageShows() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "balancing.md"));
        int begin = page.indexOf("final class NightShift");
        String shown = plain(page.substring(begin, page.indexOf("```", begin)));
        String source = Files.readString(
                Path.of("src", "test", "java", "io", "github", "r2dbcrouting", "spi", "BalancerExampleTests.java"));

        assertThat(shown.lines().count()).isGreaterThan(8);
        assertThat(plain(source)).contains(shown);
    }

    private static String plain(String code) {
        return code.lines().map(String::trim).filter(line -> !line.isEmpty()).collect(Collectors.joining("\n"));
    }

    /** Two servers, of which the second one is called "night". */
    private static Candidates servers(int inFlight) {
        return new Candidates() {
            @Override
            public int size() {
                return 2;
            }

            @Override
            public String name(int candidate) {
                return candidate == 1 ? "night" : "day";
            }

            @Override
            public double weight(int candidate) {
                return 1;
            }

            @Override
            public int inFlight(int candidate) {
                return inFlight;
            }

            @Override
            public double latency(int candidate) {
                return 0;
            }
        };
    }
}
