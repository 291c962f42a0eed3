package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;

/**
 * How long sessions waited until a replica had their writes.
 *
 * <p>On a busy machine PostgreSQL's own replication pauses for a tenth of a second now and then, with or without a
 * router. So a few long waits are let pass; without the mechanism under test there are many.
 */
final class Waits {

    static final Duration LONGEST = Duration.ofMillis(100);

    /** When to stop waiting for a replica that does not come. */
    static final Duration GIVE_UP = LONGEST.multipliedBy(5);

    /** Replication pauses so long, too, but not twice in twenty writes. */
    private static final Duration NEVER_TWICE = LONGEST.multipliedBy(4);

    private static final int HICCUPS_IN_TWENTY = 4;

    private Waits() {}

    static void assertShort(String what, List<Duration> waits) {
        List<Duration> tooLong =
                waits.stream().filter(wait -> wait.compareTo(LONGEST) > 0).toList();
        System.out.println(what + ": " + waits.size() + " waits, the longest "
                + waits.stream().max(Duration::compareTo).orElseThrow().toMillis() + " ms, " + tooLong.size()
                + " over " + LONGEST.toMillis() + " ms");
        assertThat(tooLong)
                .as(what + ": waits over " + LONGEST.toMillis() + " ms")
                .hasSizeLessThanOrEqualTo(HICCUPS_IN_TWENTY * waits.size() / 20);
        assertThat(waits.stream().filter(wait -> wait.compareTo(NEVER_TWICE) > 0))
                .as(what + ": waits over " + NEVER_TWICE.toMillis() + " ms")
                .hasSizeLessThanOrEqualTo(waits.size() / 20);
    }
}
