package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.clock.Surroundings;
import java.time.Duration;
import java.util.function.IntUnaryOperator;

/**
 * How closely are the servers watched?
 *
 * @param atRest between two probes of a server about which nobody waits to hear
 * @param watched between two probes of a replica that readers wait for
 * @param probeTimeout how long a probe, or a connect, may take
 * @param failuresUntilDown how many probes in a row may fail before a server counts as down
 * @param farBehind how far a replica may be behind before it serves no read at all
 * @param chance draws a number from 0 to below its argument: by how much a pause varies
 */
public record MonitorSettings(
        Duration atRest,
        Duration watched,
        Duration probeTimeout,
        int failuresUntilDown,
        Duration farBehind,
        IntUnaryOperator chance) {

    /**
     * Creates settings under which pauses vary by the chance of the system.
     *
     * @param atRest between two probes of a server about which nobody waits to hear
     * @param watched between two probes of a replica that readers wait for
     * @param probeTimeout how long a probe, or a connect, may take
     * @param failuresUntilDown how many probes in a row may fail before a server counts as down
     * @param farBehind how far a replica may be behind before it serves no read at all
     */
    public MonitorSettings(
            Duration atRest, Duration watched, Duration probeTimeout, int failuresUntilDown, Duration farBehind) {
        this(atRest, watched, probeTimeout, failuresUntilDown, farBehind, Surroundings.CHANCE);
    }
}
