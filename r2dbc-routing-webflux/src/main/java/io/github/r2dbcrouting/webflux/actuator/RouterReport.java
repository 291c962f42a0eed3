package io.github.r2dbcrouting.webflux.actuator;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What does the endpoint tell? The shapes of its answers, as they become JSON: constants of enums in lower case, times in
 * milliseconds, {@code null} for what is not known. No address and no credentials are in any of them.
 *
 * @param cluster the cluster's identifier; {@code null} while no server was reached
 * @param version how many tables there were; 0 before the first
 * @param primary the server that writes go to; {@code null} if none is known
 * @param servers the servers that there are
 * @param policies the policies, and which servers they give now
 * @param sources where servers and policies come from, besides the configuration
 * @param counters how requests fare
 * @param recent the decisions that were heard lately
 * @param events what has changed lately, the newest first
 */
record RouterReport(
        @Nullable String cluster,
        long version,
        @Nullable String primary,
        List<Server> servers,
        List<Policy> policies,
        List<Source> sources,
        Counters counters,
        Recent recent,
        List<Event> events) {

    /**
     * One server.
     *
     * @param primary whether writes go to it
     * @param timeline the branch of history that its position is told on
     * @param sampleAge how old what is known of it is
     * @param staleness how old at most what it has is
     * @param catchUp how long it lately lacked what the primary had
     */
    record Server(
            String name,
            String role,
            String status,
            boolean primary,
            boolean enabled,
            boolean ejected,
            boolean tooFarBehind,
            List<String> tags,
            double weight,
            @Nullable Long timeline,
            @Nullable String position,
            @Nullable Double sampleAge,
            @Nullable Double staleness,
            @Nullable Double catchUp,
            @Nullable Long bytesBehind,
            @Nullable String problem,
            Pool pool) {}

    /** The connections of one server. */
    record Pool(int acquired, int idle, int pending, int max) {}

    /**
     * A policy.
     *
     * @param text its rules; {@code null} if it is not defined, which is any replica
     * @param servers those that it gives now for a read that asks for nothing else
     * @param otherwise who serves such a read if there are none; {@code null} if nobody does
     */
    record Policy(
            String name,
            @Nullable String text,
            List<String> servers,
            @Nullable String otherwise) {}

    /** A source of servers or policies. */
    record Source(
            String name, @Nullable Double age, @Nullable String problem) {}

    /** How requests and captures fare; counts begin with the factory. */
    record Counters(
            int waiting,
            int fallbackLimit,
            int fallbackInUse,
            int fallbackQueued,
            long fallbackRefused,
            long primariesFollowed,
            long rejectedPositions,
            int pending,
            double oldestPending,
            long captures,
            long captured,
            double lastCapture,
            long nudges,
            long possiblyLost,
            int uncovered,
            double oldestUncovered) {}

    /**
     * Decisions that were heard.
     *
     * @param oneIn how many are made for each one that is heard
     * @param decisions the newest first
     */
    record Recent(int oneIn, List<Decision> decisions) {}

    /**
     * One decision.
     *
     * @param ago how long ago it was made
     * @param why the reason in words
     */
    record Decision(
            long id,
            long ago,
            @Nullable String server,
            String role,
            String reason,
            String why,
            String intent,
            String freshness,
            @Nullable String policy,
            double waited,
            List<Candidate> candidates) {}

    /**
     * A server that was considered.
     *
     * @param refusal what kept it from serving; {@code null} if nothing did
     * @param why the same in words
     */
    record Candidate(
            String server,
            @Nullable String refusal,
            @Nullable String why) {}

    /** Something that has changed, or went wrong. */
    record Event(long id, long ago, String kind, @Nullable String server, String text) {}

    /**
     * What the page is told every second.
     *
     * @param seconds how long the time was that the rates are of; 0 for the first one
     * @param rates what was decided in it
     * @param oneIn how many decisions are made for each one that is heard
     * @param decisions some of them, at least one of each kind, the oldest first
     * @param events what has changed in it, the oldest first
     */
    record Frame(
            long id,
            double seconds,
            @Nullable String cluster,
            long version,
            @Nullable String primary,
            List<Server> servers,
            List<Policy> policies,
            List<Source> sources,
            Counters counters,
            List<Rate> rates,
            int oneIn,
            List<Decision> decisions,
            List<Event> events) {}

    /** How many decisions of one kind there were in a second. */
    record Rate(@Nullable String server, String intent, String reason, boolean waited, double perSecond) {}

    /**
     * What whoever comes later is told first.
     *
     * @param seconds how long ago each point was, the oldest first
     * @param staleness of each server at each point; {@code null} where it was not known
     * @param bytesBehind of each server at each point; {@code null} where it was not known
     * @param reads how many reads went to each server in a second, at each point
     * @param decisions some that were heard, the oldest first
     * @param events what has changed, the oldest first
     */
    record Past(
            List<Double> seconds,
            Map<String, List<@Nullable Double>> staleness,
            Map<String, List<@Nullable Long>> bytesBehind,
            Map<String, List<Double>> reads,
            List<Decision> decisions,
            List<Event> events) {}
}
