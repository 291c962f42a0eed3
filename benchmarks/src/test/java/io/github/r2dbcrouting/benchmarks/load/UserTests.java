package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UserTests {

    private final User user = new User();

    @Test
    void anOlderVersionThanTheUserWroteIsStale() {
        user.wrote(7, 3, 0);

        assertThat(user.stale(7, 2)).isTrue();
    }

    @Test
    void theUsersOwnVersionAndLaterOnesOfOthersAreNotStale() {
        user.wrote(7, 3, 0);

        assertThat(user.stale(7, 3)).isFalse();
        assertThat(user.stale(7, 4)).isFalse();
    }

    @Test
    void whatTheUserNeverWroteIsNotStale() {
        user.wrote(7, 3, 0);

        assertThat(user.stale(8, 0)).isFalse();
    }

    @Test
    void anAcknowledgementThatComesLateDoesNotLowerWhatIsAskedFor() {
        user.wrote(7, 3, 0);
        user.wrote(7, 2, 1);

        assertThat(user.stale(7, 2)).isTrue();
    }

    @Test
    void theWindowAfterAWriteEnds() {
        user.wrote(7, 3, 100);

        assertThat(user.wroteWithin(149, 50)).isTrue();
        assertThat(user.wroteWithin(150, 50)).isFalse();
    }

    @Test
    void whoNeverWroteIsInNoWindow() {
        assertThat(user.wroteWithin(Long.MIN_VALUE + 1, Long.MAX_VALUE)).isFalse();
        assertThat(user.wroteWithin(5, Long.MAX_VALUE)).isFalse();
    }
}
