package io.github.r2dbcrouting.internal.session;

/** One read of a session on a replica that is under way. To be ended once; thread-safe. */
public final class OpenRead {

    private final Sighting.Life life;
    private final SessionState session;
    private final long lentAt;

    OpenRead(SessionState session, Sighting.Life life, long lentAt) {
        this.session = session;
        this.life = life;
        this.lentAt = lentAt;
    }

    /**
     * The server has answered it to the end, and what was seen is what it answered.
     *
     * @param now the time
     */
    public void ended(long now) {
        session.replace(life, sighting -> sighting.ended(lentAt, now));
    }

    /**
     * It was cancelled, or its connection was lost: something may have been seen, but nothing shows how long the server
     * was there.
     *
     * @param now the time
     */
    public void brokenOff(long now) {
        session.replace(life, sighting -> sighting.brokenOff(now));
    }
}
