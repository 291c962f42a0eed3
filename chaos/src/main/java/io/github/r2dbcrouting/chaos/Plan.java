package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What shall happen?
 *
 * @param duration how long faults are injected
 * @param seed decides which faults come, in which order, and whom they strike
 * @param users how many users there are at a time
 * @param thinkTime how long a user waits after an operation, at most
 * @param faults parts of names of faults, of which one has to match; all if there are none
 * @param without the mechanism that all routers lack, {@code null} for none
 * @param edn where the history of lists goes, {@code null} for nowhere
 */
record Plan(
        Duration duration,
        long seed,
        int users,
        Duration thinkTime,
        List<String> faults,
        @Nullable Safeguard without,
        @Nullable Path edn) {

    Plan {
        faults = List.copyOf(faults);
    }
}
