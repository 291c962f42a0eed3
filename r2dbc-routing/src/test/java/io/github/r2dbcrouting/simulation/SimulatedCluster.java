package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.simulation.LogRecord.Appended;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which servers are there, and who follows whom? */
final class SimulatedCluster {

    /** The system identifier. */
    static final String IDENTIFIER = "7";

    final Agenda agenda;
    final Settings settings;
    final List<SimulatedServer> servers = new ArrayList<>();
    private final Map<Integer, LogRecord> written = new HashMap<>();
    Rules rules;
    private int connections;

    SimulatedCluster(Agenda agenda, Settings settings, long seed) {
        this.agenda = agenda;
        this.settings = settings;
        long end =
                0x3000000L + LogPages.PAGE * 3 - 8L * (1 + Chance.of(seed, 50).below(120));
        List<LogRecord> first = List.of(new LogRecord(0, end - 64, end, 1, List.of(), false));
        for (int i = 0; i <= settings.replicas(); i++) {
            SimulatedServer server = new SimulatedServer(i, agenda, Chance.of(seed, 100 + i), this);
            server.asynchronousCommits = settings.asynchronousCommits();
            server.start(first, end);
            servers.add(server);
        }
        servers.get(0).primary = true;
        for (SimulatedServer replica : servers.subList(1, servers.size())) {
            replica.follow(servers.get(0));
        }
    }

    int nextConnection() {
        return connections++;
    }

    List<SimulatedServer> downstreamOf(SimulatedServer leader) {
        List<SimulatedServer> all = new ArrayList<>(servers.size());
        for (SimulatedServer server : servers) {
            if (server.upstream == leader) {
                all.add(server);
            }
        }
        return all;
    }

    void offer(SimulatedServer leader) {
        for (SimulatedServer server : servers) {
            if (server.upstream == leader) {
                server.offered();
            }
        }
    }

    void committed(SimulatedServer server, LogRecord record) {
        for (Appended appended : record.committed) {
            if (written.put(appended.value(), record) != null) {
                rules.broken(
                        "writes are sent once",
                        "value " + appended.value() + " was written a second time, on " + server);
            }
        }
        rules.written(server, record);
    }

    /** Where a value was written; {@code null} if it was not. */
    LogRecord recordOf(int value) {
        return written.get(value);
    }

    /** The primary on the latest timeline: whom whoever runs the cluster has made it last. */
    SimulatedServer leader() {
        SimulatedServer leader = null;
        for (SimulatedServer server : servers) {
            if (server.primary && (leader == null || server.timeline > leader.timeline)) {
                leader = server;
            }
        }
        return leader;
    }
}
