package io.github.r2dbcrouting.internal.routing;

/** How busy is a server, as far as this router keeps it so? */
@FunctionalInterface
public interface Load {

    /**
     * Returns the number of connections that are lent or waited for.
     *
     * @param server the index of the server
     * @return the number at this moment
     */
    int inFlight(int server);

    /**
     * Returns how long the server lately took to answer.
     *
     * @param server the index of the server
     * @param now about the present, by {@link System#nanoTime()}
     * @return nanoseconds; 0 if nothing is known
     */
    default double latency(int server, long now) {
        return 0;
    }
}
