package io.github.r2dbcrouting.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyOverServersTests {

    /** db0 and db1 in eu-west, db2 in eu only, db3 in us, db4 for reports. */
    private static final List<Set<String>> TAGS =
            List.of(Set.of("eu", "eu-west"), Set.of("eu", "eu-west"), Set.of("eu"), Set.of("us"), Set.of("reporting"));

    @ParameterizedTest
    @CsvSource(
            delimiterString = " : ",
            value = {
                "tags(eu-west) : 01234 : 01",
                "tags(eu-west) : 234 : 234",
                "tags(eu-west); halt() : 234 : ''",
                "tags(eu-west)->min(2); tags(eu) : 01234 : 01",
                "tags(eu-west)->min(2); tags(eu) : 1234 : 12",
                "tags(eu-west)->min(2); tags(eu); all() : 34 : 34",
                "tags(eu, us) : 01234 : 0123",
                "tags(eu)->tags(eu-west) : 2 : 2",
                "tags(eu)->tags(eu-west); halt() : 2 : ''",
                "tags(eu)->not(eu-west) : 01234 : 2",
                "not(reporting) : 01234 : 0123",
                "not(reporting); halt() : 4 : ''",
                "tags(reporting); halt() : 01234 : 4",
                "tags(reporting); halt() : 0123 : ''",
                "min(3) : 012 : 012",
                "min(3); halt() : 01 : ''",
                "min(5)->tags(us); tags(eu) : 01234 : 3",
                "min(5)->tags(us); tags(eu) : 1234 : 12",
                "all() : 24 : 24",
                "all()->tags(us) : 24 : 24",
                "all()->tags(us); halt() : 24 : ''",
                "halt() : 01234 : ''",
                "tags(gb) : 01234 : 01234",
                "maxlag(100ms) : 01234 : 01",
                "maxlag(300ms)->min(4); tags(us) : 01234 : 0123",
                "maxlag(300ms)->min(4); tags(us) : 0234 : 3",
                "maxlag(50ms); halt() : 34 : ''",
                "all() : '' : ''"
            })
    void leavesTheServersOfTheFirstRuleThatLeavesAny(String policy, String fresh, String expected) {
        PolicyOverServers over = new PolicyOverServers(Policy.parse(policy), TAGS);
        BitSet asked = servers(fresh);

        // server n is n times 100 ms behind
        BitSet left =
                over.select(asked, server -> Duration.ofMillis(100L * server).toNanos());

        assertThat(left).isEqualTo(servers(expected));
        assertThat(asked).isEqualTo(servers(fresh));
    }

    @Test
    void agreesWithAPlainReading() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);

        for (int i = 0; i < 100_000; i++) {
            Policy policy = Policies.random(random);
            List<Set<String>> tags = new ArrayList<>();
            long[] lags = new long[random.nextInt(9)];
            BitSet fresh = new BitSet();
            for (int server = 0; server < lags.length; server++) {
                Set<String> own = new HashSet<>();
                Policies.TAGS.stream().filter(tag -> random.nextInt(3) == 0).forEach(own::add);
                tags.add(own);
                lags[server] = Duration.ofMillis(random.nextInt(3_000)).toNanos();
                fresh.set(server, random.nextInt(4) > 0);
            }

            BitSet left =
                    new PolicyOverServers(Policy.parse(policy.toString()), tags).select(fresh, server -> lags[server]);

            assertThat(left).as("seed %d, %s", seed, policy).isEqualTo(plainly(policy, tags, lags, fresh));
        }
    }

    /** What the language's description says, word by word. */
    private static BitSet plainly(Policy policy, List<Set<String>> tags, long[] lags, BitSet fresh) {
        for (Policy.Rule rule : policy.rules()) {
            List<Integer> set = fresh.stream().boxed().toList();
            for (Filter filter : rule.filters()) {
                List<Integer> before = set;
                set = before.stream()
                        .filter(server -> {
                            if (filter instanceof Filter.Tags some) {
                                return some.tags().stream().anyMatch(tags.get(server)::contains);
                            } else if (filter instanceof Filter.Not none) {
                                return none.tags().stream().noneMatch(tags.get(server)::contains);
                            } else if (filter instanceof Filter.Min min) {
                                return before.size() >= min.servers();
                            } else if (filter instanceof Filter.MaxLag maxLag) {
                                return lags[server] <= maxLag.lag().toNanos();
                            }
                            return filter instanceof Filter.All;
                        })
                        .toList();
            }
            if (!set.isEmpty()) {
                BitSet result = new BitSet();
                set.forEach(result::set);
                return result;
            }
            if (rule.filters().get(0) instanceof Filter.Halt) {
                return new BitSet();
            }
        }
        return fresh;
    }

    private static BitSet servers(String digits) {
        BitSet servers = new BitSet();
        digits.chars().forEach(digit -> servers.set(digit - '0'));
        return servers;
    }
}
