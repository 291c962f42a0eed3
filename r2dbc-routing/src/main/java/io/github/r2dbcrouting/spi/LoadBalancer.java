package io.github.r2dbcrouting.spi;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * Which of the servers that may serve a read shall serve it?
 *
 * <p>Called for every read on the thread that asks: implementations are thread-safe, do not block, and look at a number
 * of candidates that does not grow with the cluster if they can. A balancer of one's own is a lambda:
 *
 * <pre>{@code
 * LoadBalancer first = (candidates, random) -> 0;
 * }</pre>
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface LoadBalancer {

    /**
     * The latency within which servers count as equally near, unless another is given. The drivers of MongoDB have 15 ms;
     * less here, since 15 ms is several of PostgreSQL's indexed reads, and zones of one region are 1-2 ms apart.
     */
    Duration DEFAULT_WINDOW = Duration.ofMillis(2);

    /**
     * Chooses one of the candidates.
     *
     * @param candidates the servers that may serve; at least one. Valid only during the call
     * @param random draws a number from 0 to below its argument, which is positive
     * @return which of them, from 0 to below {@link Candidates#size()}
     */
    int choose(Candidates candidates, IntUnaryOperator random);

    /** The servers that may serve a read, and how busy they are at this moment. */
    interface Candidates {

        /**
         * Returns how many there are.
         *
         * @return at least 1
         */
        int size();

        /**
         * Returns what a candidate is called.
         *
         * @param candidate from 0 to below {@link #size()}
         * @return the server's name
         */
        String name(int candidate);

        /**
         * Returns how much of the load a candidate shall have compared with others.
         *
         * @param candidate from 0 to below {@link #size()}
         * @return its weight, reduced while it comes back after an absence; positive
         */
        double weight(int candidate);

        /**
         * Returns what no weight is above: with it, one is drawn by weight without a look at all of them.
         *
         * @return a bound of the weights, and if nobody comes back after an absence the greatest of them
         */
        default double greatestWeight() {
            double greatest = 0;
            for (int i = 0; i < size(); i++) {
                greatest = Math.max(greatest, weight(i));
            }
            return greatest;
        }

        /**
         * Returns how many reads and writes of this router are under way on a candidate.
         *
         * @param candidate from 0 to below {@link #size()}
         * @return those that run and those that wait for a connection, from 0
         */
        int inFlight(int candidate);

        /**
         * Returns how long a candidate lately took to answer.
         *
         * @param candidate from 0 to below {@link #size()}
         * @return nanoseconds; 0 if nothing is known
         */
        double latency(int candidate);
    }

    /**
     * Draws two, each as often as its weight says, and takes the one that would answer sooner: its latency times one more
     * than the requests that are under way for its weight. Close to the best of all, without everybody running to it at
     * once.
     *
     * <p>Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001; the cost as in Finagle's
     * {@code PeakEwma}: a server of which no answer is known yet gets one request, and no other before that is answered.
     *
     * @return the default balancer
     */
    static LoadBalancer powerOfTwoChoices() {
        return PowerOfTwoChoices.INSTANCE;
    }

    /**
     * Takes one after the other, each as often as the others, whatever their weight.
     *
     * @return a balancer with a count of its own
     */
    static LoadBalancer roundRobin() {
        return new RoundRobin();
    }

    /**
     * Draws one, each as often as its weight says, however busy it is.
     *
     * @return the balancer
     */
    static LoadBalancer random() {
        return RandomDraw.INSTANCE;
    }

    /**
     * Takes the one with the least under way for its weight; of equals any. It looks at all of them.
     *
     * @return the balancer
     */
    static LoadBalancer leastInFlight() {
        return LeastInFlight.INSTANCE;
    }

    /**
     * Draws from those that are hardly slower than the fastest, as the drivers of MongoDB do. It looks at all of them.
     *
     * @param window how much slower they may be
     * @return the balancer
     * @throws IllegalArgumentException if the window is negative
     */
    static LoadBalancer nearest(Duration window) {
        return new Nearest(window);
    }

    /**
     * Returns a balancer by its name, as settings have it.
     *
     * @param name {@code powerOfTwoChoices}, {@code roundRobin}, {@code random}, {@code leastInFlight} or
     *     {@code nearest}, which has {@link #DEFAULT_WINDOW}; in any case
     * @return the balancer, or empty if none has that name
     */
    static Optional<LoadBalancer> named(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "poweroftwochoices" -> Optional.of(powerOfTwoChoices());
            case "roundrobin" -> Optional.of(roundRobin());
            case "random" -> Optional.of(random());
            case "leastinflight" -> Optional.of(leastInFlight());
            case "nearest" -> Optional.of(nearest(DEFAULT_WINDOW));
            default -> Optional.empty();
        };
    }
}
