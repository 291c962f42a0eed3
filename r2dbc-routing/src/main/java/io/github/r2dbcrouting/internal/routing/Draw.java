package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.spi.LoadBalancer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Which of the eligible servers is it? Servers that have failed requests lately are left alone, unless nobody else is
 * eligible: then it is the least bad. Among the others the balancer chooses; where it takes one that starts slowly, and
 * this request is not of that one's share, it chooses once more among the steady.
 */
final class Draw {

    private static final Logger LOG = LoggerFactory.getLogger(Draw.class);

    private final Load load;
    private final IntUnaryOperator random;
    private final Ejections ejections;
    private final LongSupplier clock;
    private final LoadBalancer balancer;
    private final AtomicBoolean complained = new AtomicBoolean();

    Draw(Load load, IntUnaryOperator random, Ejections ejections, LongSupplier clock, LoadBalancer balancer) {
        this.load = load;
        this.random = random;
        this.ejections = ejections;
        this.clock = clock;
        this.balancer = balancer;
    }

    /**
     * Draws a server.
     *
     * @param prepared the table
     * @param eligible who may be drawn
     * @return its index; {@link Members#NOBODY} if nobody is eligible
     */
    int from(Prepared prepared, EligibleSet eligible) {
        if (eligible.size() == 0) {
            return Members.NOBODY;
        }
        Outliers outliers = ejections.outliers();
        if (outliers == null) {
            return one(prepared, eligible);
        }
        Fit fit = fit(eligible, outliers);
        if (!fit.admitted().anyReplica() && eligible.anyReplica()) {
            return fit.leastBad();
        }
        int drawn = one(prepared, fit.admitted());
        if (!outliers.starting(drawn) || ejections.admits(drawn, random)) {
            return drawn;
        }
        return fit.steady().anyReplica() ? one(prepared, fit.steady()) : fit.leastBad();
    }

    /** Whether a replica is eligible that is not ejected. */
    boolean anyFit(EligibleSet eligible) {
        Outliers outliers = ejections.outliers();
        EligibleSet admitted =
                outliers == null ? eligible : fit(eligible, outliers).admitted();
        return admitted.anyReplica();
    }

    private Fit fit(EligibleSet eligible, Outliers outliers) {
        return eligible.fit(outliers, ejections::sooner);
    }

    private int one(Prepared prepared, EligibleSet admitted) {
        return admitted.server(admitted.size() == 1 ? 0 : choose(new View(prepared, admitted)));
    }

    /** What a balancer of the application's own does wrong is not the request's fault, and no reason to fill its log. */
    private int choose(View view) {
        try {
            int chosen = balancer.choose(view, random);
            if (chosen >= 0 && chosen < view.size()) {
                return chosen;
            }
            complain().log("the load balancer {} chose {} of {}; the request goes on", balancer, chosen, view.size());
        } catch (RuntimeException failure) {
            complain().log("the load balancer {} failed; the request goes on", balancer, failure);
        }
        return random.applyAsInt(view.size());
    }

    private LoggingEventBuilder complain() {
        return LOG.atLevel(complained.compareAndSet(false, true) ? Level.WARN : Level.DEBUG);
    }

    /**
     * The eligible servers as a balancer sees them. What latencies are aged by is when the table was prepared: it is 100 ms
     * ago at most while servers are sampled, of the ten seconds in which they age, and a clock takes longer than the rest.
     */
    private final class View implements LoadBalancer.Candidates {

        private final Prepared prepared;
        private final EligibleSet eligible;
        private final boolean starting;
        private final long startingNow;

        View(Prepared prepared, EligibleSet eligible) {
            this.prepared = prepared;
            this.eligible = eligible;
            boolean returned = prepared.since().anyReturned();
            this.startingNow = returned ? clock.getAsLong() : 0;
            this.starting = returned && prepared.since().anyStarting(startingNow);
        }

        @Override
        public int size() {
            return eligible.size();
        }

        @Override
        public String name(int candidate) {
            return prepared.table().servers().get(eligible.server(candidate)).name();
        }

        @Override
        public double weight(int candidate) {
            int server = eligible.server(candidate);
            double weight = prepared.members().weight(server);
            return starting ? weight * prepared.since().share(server, startingNow) : weight;
        }

        @Override
        public double greatestWeight() {
            return eligible.greatestWeight();
        }

        @Override
        public int inFlight(int candidate) {
            return load.inFlight(eligible.server(candidate));
        }

        @Override
        public double latency(int candidate) {
            return load.latency(eligible.server(candidate), prepared.madeAt());
        }
    }
}
