package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** Factories over a test cluster, with servers named db0, db1, ... after their numbers. */
public final class Factories {

    private Factories() {}

    static RoutingConnectionFactory.Builder over(PostgresCluster cluster) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            builder.server("db" + server.number(), server.r2dbcUrl());
        }
        return builder;
    }

    static RoutingConnectionFactory.Builder over(PostgresCluster cluster, Safeguards safeguards) {
        return over(cluster).safeguards(safeguards);
    }

    static RoutingConnectionFactory ready(RoutingConnectionFactory.Builder builder) {
        RoutingConnectionFactory factory = builder.build();
        Blocking.run(factory.ready(Duration.ofSeconds(20)));
        return factory;
    }

    /** A factory in other surroundings than the system's, with mechanisms taken away or not. */
    public static RoutingConnectionFactory simulated(
            RoutingConnectionFactory.Builder builder, Safeguards safeguards, Surroundings surroundings) {
        return builder.safeguards(safeguards).surroundings(surroundings).build();
    }

    /** A session by other clocks than the system's. */
    public static CausalSession session(LongSupplier clock, InstantSource utc) {
        return new CausalSession(new SessionState(clock, utc));
    }
}
