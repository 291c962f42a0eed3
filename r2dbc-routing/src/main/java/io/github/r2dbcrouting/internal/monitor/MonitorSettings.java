package io.github.r2dbcrouting.internal.monitor;

import java.time.Duration;

/**
 * How closely are the servers watched?
 *
 * @param atRest between two probes of a server about which nobody waits to hear
 * @param watched between two probes of a replica that readers wait for
 * @param probeTimeout how long a probe, or a connect, may take
 * @param failuresUntilDown how many probes in a row may fail before a server counts as down
 * @param farBehind how far a replica may be behind before it serves no read at all
 */
public record MonitorSettings(
        Duration atRest, Duration watched, Duration probeTimeout, int failuresUntilDown, Duration farBehind) {}
