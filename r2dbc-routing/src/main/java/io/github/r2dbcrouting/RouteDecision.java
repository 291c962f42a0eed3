package io.github.r2dbcrouting;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which server was chosen, why, and why not each of the others?
 *
 * @param server the name of the chosen server, {@code null} if there was none
 * @param role what the chosen server is; {@code UNKNOWN} if there was none
 * @param reason why it was chosen
 * @param intent whether a replica may serve
 * @param freshness how fresh it must be
 * @param candidates every configured server, with what kept it from being chosen
 * @param waited how long it was waited for; zero if it was chosen at once
 * @param policy the name of the policy that chose among the replicas; {@code null} if none did
 * @since 0.1.0
 */
public record RouteDecision(
        @Nullable String server,
        ServerRole role,
        Reason reason,
        Intent intent,
        Freshness freshness,
        List<Candidate> candidates,
        Duration waited,
        @Nullable String policy) {

    /**
     * Creates a decision that was made at once.
     *
     * @param server the name of the chosen server, {@code null} if there was none
     * @param role what the chosen server is; {@code UNKNOWN} if there was none
     * @param reason why it was chosen
     * @param intent whether a replica may serve
     * @param freshness how fresh it must be
     * @param candidates every configured server, with what kept it from being chosen
     */
    public RouteDecision(
            @Nullable String server,
            ServerRole role,
            Reason reason,
            Intent intent,
            Freshness freshness,
            List<Candidate> candidates) {
        this(server, role, reason, intent, freshness, candidates, Duration.ZERO, null);
    }

    /** Returns the decision in words, on one line. */
    @Override
    public String toString() {
        String asked = intent == Intent.WRITE ? "write" : freshness + " read";
        String after = waited.isZero() ? "" : " after " + waited.toMillis() + " ms";
        String by = policy == null ? "" : " by policy " + policy;
        return asked + by + " -> " + (server == null ? "nobody" : server) + after + ": " + reason.text() + " ["
                + candidates.stream().map(Candidate::toString).collect(Collectors.joining("; ")) + "]";
    }

    /**
     * One server that was considered.
     *
     * @param server its name
     * @param refusal what kept it from serving; {@code null} if it could have served, chosen or not
     */
    public record Candidate(String server, @Nullable Refusal refusal) {
        @Override
        public String toString() {
            return server + ": " + (refusal == null ? "eligible" : refusal.text());
        }
    }

    /** Why a server was chosen. */
    public enum Reason {
        /** It is a write, or is not known to be a read. */
        WRITE("it is a write, or not known to be a read"),
        /** A read that asked for the latest. */
        LATEST("the latest was asked for"),
        /** The session has written or seen something whose position is not known yet. */
        WRITE_PENDING("what the session did last has no position yet, so only the primary surely has it"),
        /** No replica has what the session wrote. */
        NO_REPLICA_COVERS("no replica has what the session wrote"),
        /** No replica is surely as fresh as the read's bound asks. */
        NO_REPLICA_FRESH("no replica is surely fresh enough"),
        /** The session wrote a short while ago, and was told to read from the primary for some time after that. */
        WROTE_LATELY("the session wrote a short while ago, and reads from the primary until that is over"),
        /** There is no replica that may be read from. */
        NO_REPLICA("no replica may be read from"),
        /** The replica has everything that the session wrote. */
        COVERS_TOKEN("it has everything that the session wrote"),
        /** The replica is surely no older than the read's bound. */
        FRESH_ENOUGH("it is no older than was asked for"),
        /** The session has written nothing, or was not asked for. */
        NOTHING_TO_COVER("the read asks for nothing that it might lack"),
        /** No server could serve. */
        NO_SERVER("no server can serve it");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        /**
         * Returns the reason in words.
         *
         * @return the reason in words
         */
        public String text() {
            return text;
        }
    }

    /** Why a server could not serve. */
    public enum Refusal {
        /** The read may be served by a replica, or must be by the primary, and this is not one. */
        WRONG_ROLE("not the right role"),
        /** Not reached yet, silent, or refused. */
        NOT_UP("not up"),
        /** It is further behind than any read may be served from. */
        TOO_FAR_BEHIND("too far behind, or it is not known how far"),
        /** It has not replayed what the session wrote. */
        BEHIND_TOKEN("has not replayed what the session wrote"),
        /** It is older than the read's bound, or that is not known. */
        TOO_OLD("older than was asked for, or it is not known how old"),
        /** The session reads from the primary for a while after a write. */
        WROTE_LATELY("not read from so soon after the session's write"),
        /** It may lack the session's last write, whose position is not known yet. */
        WRITE_PENDING("may lack the session's last write"),
        /** It failed requests lately, and is left alone for a while. */
        EJECTED("left alone for a while, since it failed requests lately"),
        /** The session has read from another replica, whose position then is not known yet. */
        SEEN_ELSEWHERE("may lack what the session has read from another replica"),
        /** The read's policy prefers others, or leaves nobody. */
        NOT_IN_POLICY("not chosen by the policy"),
        /** A connection to it could not be had for this request, or did not hold what the table says. */
        FAILED("could not be used for this request");

        private final String text;

        Refusal(String text) {
            this.text = text;
        }

        /**
         * Returns the refusal in words.
         *
         * @return the refusal in words
         */
        public String text() {
            return text;
        }
    }
}
