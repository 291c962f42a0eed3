package io.github.r2dbcrouting.internal.monitor;

import org.jspecify.annotations.Nullable;

/**
 * Everything that the probes of one server have brought so far.
 *
 * @param server the server
 * @param sample the last answer; {@code null} if there was none
 * @param failures how many probes have failed since
 * @param problem what the last of them failed with, for people; {@code null} if none has
 */
record ServerReport(
        MonitoredServer server,
        @Nullable Sample sample,
        int failures,
        @Nullable String problem) {

    static ServerReport none(MonitoredServer server) {
        return new ServerReport(server, null, 0, null);
    }

    ServerReport answered(Sample latest) {
        return new ServerReport(server, latest, 0, null);
    }

    ServerReport failed(String latest) {
        return new ServerReport(server, sample, failures + 1, latest);
    }
}
