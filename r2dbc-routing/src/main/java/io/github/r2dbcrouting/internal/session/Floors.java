package io.github.r2dbcrouting.internal.session;

/** Who finds out which position a server had after a session had read from it? Thread-safe. */
public interface Floors {

    /**
     * Asks for the position. Returns at once.
     *
     * @param floor settled once the position is known, or one of the primary that lies at or behind it
     */
    void find(SightedFloor floor);

    /**
     * Tells whether another history was followed at a time than is now: what a replica showed that was asked then need not
     * be part of the one that is followed now.
     *
     * @param time the time, by the clock of {@link #now}
     * @return whether it was
     */
    default boolean partedSince(long time) {
        return false;
    }

    /**
     * Returns the time by which it is told when something was seen.
     *
     * @return nanoseconds since an arbitrary moment
     */
    long now();
}
