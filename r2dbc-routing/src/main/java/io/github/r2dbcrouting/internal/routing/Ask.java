package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.Sighting;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.StatementText;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.util.context.ContextView;

/**
 * What does one statement or transaction ask for, all things said about it taken together?
 *
 * @param intent whether a replica may serve it
 * @param freshness how fresh it must be
 * @param session on whose behalf; {@code null} if nobody's
 * @param whenBehind what becomes of it if no replica is fresh enough; {@code null} for the factory's setting
 * @param maxWait how long it may wait for a replica; {@code null} for the factory's setting
 * @param placed whether everything that the session had seen when this was asked has its position by now
 * @param policy by which policy a replica is chosen; {@code null} for the default one
 */
public record Ask(
        Intent intent,
        Freshness freshness,
        @Nullable SessionState session,
        @Nullable WhenBehind whenBehind,
        @Nullable Duration maxWait,
        boolean placed,
        @Nullable String policy) {

    /**
     * Asks something, with the factory's settings for the rest, and with nothing known of what the session has seen.
     *
     * @param intent whether a replica may serve it
     * @param freshness how fresh it must be
     * @param session on whose behalf; {@code null} if nobody's
     */
    public Ask(Intent intent, Freshness freshness, @Nullable SessionState session) {
        this(intent, freshness, session, null, null, false, null);
    }

    /**
     * Puts together what a statement outside a transaction asks.
     *
     * <p>A text that writes is a write whatever is said of it: an entry covers a whole chain, and a chain that reads may
     * save something, too. Where the text does not tell, an entry that reads decides; under a session alone it is a
     * write. With neither, everything is one.
     *
     * @param context the Context of whoever subscribed to it
     * @param kind what its text says
     * @return what it asks
     */
    public static Ask ofStatement(ContextView context, StatementText.Kind kind) {
        Routing entry = Routing.of(context);
        boolean read = entry == null
                ? kind == StatementText.Kind.READ && context.hasKey(SessionState.class)
                : entry.intent() == Intent.READ && kind != StatementText.Kind.WRITE;
        return of(read, entry, context);
    }

    /**
     * Puts together what a transaction asks. Of what is said, the nearest to the primary wins.
     *
     * @param context the Context of whoever subscribed to its begin
     * @param readOnly whether it is declared read-only, and at an isolation level that a replica can keep
     * @return what it asks
     */
    public static Ask ofTransaction(ContextView context, boolean readOnly) {
        Routing entry = Routing.of(context);
        boolean spokenFor = entry == null ? context.hasKey(SessionState.class) : entry.intent() == Intent.READ;
        return of(readOnly && spokenFor, entry, context);
    }

    /**
     * Puts together what a session and an entry ask, with no subscription at hand.
     *
     * @param entry what is asked
     * @param session on whose behalf; {@code null} if nobody's
     * @return what they ask together
     */
    public static Ask of(Routing entry, @Nullable SessionState session) {
        return together(entry.intent() == Intent.READ, entry, session);
    }

    private static Ask of(boolean read, @Nullable Routing entry, ContextView context) {
        return together(read, entry, context.getOrDefault(SessionState.class, null));
    }

    private static Ask together(boolean read, @Nullable Routing entry, @Nullable SessionState session) {
        return new Ask(
                read ? Intent.READ : Intent.WRITE,
                freshness(entry, session),
                session,
                entry == null ? null : entry.whenBehind(),
                entry == null ? null : entry.maxWait(),
                false,
                entry == null ? null : entry.policy());
    }

    private static Freshness freshness(@Nullable Routing entry, @Nullable SessionState session) {
        Freshness asked = entry == null ? null : entry.freshness();
        return asked != null ? asked : session == null ? Freshness.any() : Freshness.causal();
    }

    /**
     * Asks the same of the primary.
     *
     * @return what is asked, as something that only the primary may serve
     */
    public Ask onPrimary() {
        return new Ask(Intent.WRITE, freshness, session, whenBehind, maxWait, placed, policy);
    }

    /**
     * Asks the same without waiting for a replica.
     *
     * @return what is asked, as something that turns to the primary at once where no replica is fresh enough
     */
    public Ask withoutWaiting() {
        return new Ask(intent, freshness, session, WhenBehind.PRIMARY, maxWait, placed, policy);
    }

    /**
     * Asks the same on nobody's behalf.
     *
     * @return what is asked, of which no session hears
     */
    public Ask withoutSession() {
        return new Ask(intent, freshness, null, whenBehind, maxWait, placed, policy);
    }

    /**
     * Returns whether replicas may serve it, if they are fresh enough.
     *
     * @return whether it is a read that need not see the latest
     */
    public boolean ofReplicas() {
        return intent == Intent.READ && freshness.kind() != Freshness.Kind.LATEST;
    }

    /**
     * Returns whether its session has a write whose position is not known yet.
     *
     * @param cluster the cluster that is routed to; {@code null} while that is not known
     * @return whether no replica surely has what the session wrote
     */
    public boolean pendingIn(@Nullable String cluster) {
        return causal() && session != null && cluster != null && session.hasPending(cluster);
    }

    /**
     * Asks the same once {@link SessionState#floors} has completed: what others of the session go on to see meanwhile
     * does not matter to it.
     *
     * @return what is asked, of any replica that has what was seen
     */
    public Ask afterFloors() {
        return new Ask(intent, freshness, session, whenBehind, maxWait, true, policy);
    }

    /**
     * Returns whether it must not be served without what its session has done and seen.
     *
     * @return whether it has a session, and is a write, or a read that asks for what is causal or the latest
     */
    public boolean heedsSession() {
        return session != null
                && (intent == Intent.WRITE
                        || freshness.kind() == Freshness.Kind.CAUSAL
                        || freshness.kind() == Freshness.Kind.LATEST);
    }

    boolean causal() {
        return freshness.kind() == Freshness.Kind.CAUSAL && session != null;
    }

    /**
     * Returns the positions that whoever serves it must cover.
     *
     * @param cluster the cluster that is routed to
     * @return the session's positions in that cluster, if the read is causal
     */
    public List<Position> required(String cluster) {
        return causal() && session != null ? session.required(cluster) : List.of();
    }

    /**
     * Tells whether the session has read from the primary what has no position yet.
     *
     * @param cluster the cluster that is routed to
     * @return whether that must be awaited, if the read is causal
     */
    boolean readsPending(String cluster) {
        return !placed && causal() && session != null && session.hasPendingReads(cluster);
    }

    /**
     * Returns where the session has read what has no position yet: only the same life of the same replica surely still
     * shows it.
     *
     * @param cluster the cluster that is routed to
     * @return what the session has seen on replicas, if the read is causal
     */
    public List<Sighting> seen(String cluster) {
        return causal() && session != null ? session.seen(cluster) : List.of();
    }

    @Override
    public String toString() {
        return intent == Intent.WRITE ? "a write" : "a read with freshness " + freshness;
    }
}
