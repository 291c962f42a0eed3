package io.github.r2dbcrouting.simulation;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.ArrayList;
import java.util.List;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/** How is a connection to a simulated server opened? */
final class SimulatedDriver implements ConnectionFactory {

    private static final long WIRE = 100 * Agenda.MICROSECOND;

    final SimulatedServer server;
    private final SimulatedCluster cluster;
    private final boolean pooled;
    private final long seed;
    private final Chance chance;

    /** Every connection that was opened; what is closed is left out from time to time. */
    final List<SimulatedConnection> opened;

    private SimulatedDriver(
            SimulatedServer server,
            SimulatedCluster cluster,
            boolean pooled,
            long seed,
            List<SimulatedConnection> opened) {
        this.server = server;
        this.cluster = cluster;
        this.pooled = pooled;
        this.seed = seed;
        this.opened = opened;
        this.chance = Chance.of(seed, 200 + 2L * server.number + (pooled ? 1 : 0));
    }

    SimulatedDriver(SimulatedServer server, SimulatedCluster cluster, long seed) {
        this(server, cluster, false, seed, new ArrayList<>());
    }

    /** The same server, for connections that are lent. */
    SimulatedDriver ofPool() {
        return new SimulatedDriver(server, cluster, true, seed, opened);
    }

    /** Whoever has gone before a connection comes gets none; whoever has one closes it. */
    private static final class Caller {
        private final MonoSink<Connection> sink;
        private boolean gone;

        private Caller(MonoSink<Connection> sink) {
            this.sink = sink;
            var unused = sink.onCancel(() -> gone = true);
        }
    }

    @Override
    public Publisher<? extends Connection> create() {
        return Mono.<Connection>create(sink -> {
            Caller caller = new Caller(sink);
            cluster.agenda.after(chance.latency(WIRE), () -> server.carry(() -> accept(caller)));
        });
    }

    private void accept(Caller caller) {
        Agenda agenda = cluster.agenda;
        if (!server.running || !server.accepting) {
            String state = server.running ? "57P03" : null;
            agenda.after(
                    chance.latency(WIRE),
                    () -> server.carry(() -> agenda.routerAfter(
                            0,
                            () -> caller.sink.error(new R2dbcNonTransientResourceException(
                                    "the simulated server does not accept connections", state)))));
            return;
        }
        SimulatedConnection connection = new SimulatedConnection(server, cluster, pooled, seed);
        server.backends.add(connection);
        opened.add(connection);
        agenda.after(
                chance.latency(WIRE),
                () -> server.carry(() -> agenda.routerAfter(0, () -> established(connection, caller))));
    }

    private static void established(SimulatedConnection connection, Caller caller) {
        if (caller.gone) {
            connection.hangUp();
        } else {
            caller.sink.success(connection);
        }
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return () -> "PostgreSQL";
    }
}
