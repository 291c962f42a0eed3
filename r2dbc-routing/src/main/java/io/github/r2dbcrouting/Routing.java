package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.session.SessionState;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * What does a subscription ask of the router?
 *
 * <p>Immutable, and a function for {@code contextWrite}: {@code users.findAll().contextWrite(Routing.read())}. It holds
 * for everything subscribed under it; of several, the one nearest to the statement replaces the others whole. With
 * neither an entry nor a session every statement goes to the primary.
 *
 * @since 0.1.0
 */
public final class Routing implements Function<Context, Context> {

    private static final Routing READ = new Routing(Intent.READ, null, null, null, null);
    private static final Routing WRITE = new Routing(Intent.WRITE, null, null, null, null);

    private final Intent intent;
    private final @Nullable Freshness freshness;
    private final @Nullable WhenBehind whenBehind;
    private final @Nullable Duration maxWait;
    private final @Nullable String policy;

    private Routing(
            Intent intent,
            @Nullable Freshness freshness,
            @Nullable WhenBehind whenBehind,
            @Nullable Duration maxWait,
            @Nullable String policy) {
        this.intent = intent;
        this.freshness = freshness;
        this.whenBehind = whenBehind;
        this.maxWait = maxWait;
        this.policy = policy;
    }

    /**
     * Lets replicas serve the statements under it: causally if there is a session, else any replica.
     *
     * <p>It speaks for statements outside a transaction and for read-only transactions. A transaction that is not
     * declared read-only goes to the primary also under it. A statement that writes is refused by the replica.
     *
     * @return the entry
     */
    public static Routing read() {
        return READ;
    }

    /**
     * Sends everything under it to the primary.
     *
     * @return the entry
     */
    public static Routing write() {
        return WRITE;
    }

    /**
     * Runs whatever is subscribed under it as part of the session.
     *
     * @param session the session, shared by all who run under it
     * @return a function for {@code contextWrite}
     */
    public static Function<Context, Context> session(CausalSession session) {
        Objects.requireNonNull(session, "session");
        return context -> context.put(CausalSession.class, session).put(SessionState.class, session.state());
    }

    /**
     * Tells somebody which server each statement and each transaction under it was sent to, and why: for a trace, a log
     * or a test of one request, whatever stands between it and the connection.
     *
     * <p>The nearest one hears it; the listener of the factory hears it, too. A statement inside a transaction is where
     * the transaction is and is not told again; a read that moves on to another server is told each time, so that the
     * last decision is the one that holds.
     *
     * @param listener called as {@link RoutingListener#onDecision(RouteDecision)} says
     * @return a function for {@code contextWrite}
     */
    public static Function<Context, Context> listener(RoutingListener listener) {
        Objects.requireNonNull(listener, "listener");
        return context -> context.put(RoutingListener.class, listener);
    }

    /**
     * Returns the session of the subscription.
     *
     * @return the session, or empty if there is none; nothing happens before it is subscribed
     */
    public static Mono<CausalSession> currentSession() {
        return Mono.deferContextual(context -> Mono.justOrEmpty(context.getOrEmpty(CausalSession.class)));
    }

    /**
     * Returns the entry that a subscription runs under.
     *
     * @param context the subscriber's Context
     * @return the nearest entry, or {@code null} if there is none
     */
    public static @Nullable Routing of(ContextView context) {
        return context.getOrDefault(Routing.class, null);
    }

    /**
     * Asks for another freshness.
     *
     * @param asked how fresh the reads under this entry must be
     * @return a copy of this entry
     */
    public Routing freshness(Freshness asked) {
        return new Routing(intent, Objects.requireNonNull(asked, "freshness"), whenBehind, maxWait, policy);
    }

    /**
     * Asks for something else to become of reads for which no replica is fresh enough.
     *
     * @param asked what becomes of them
     * @return a copy of this entry
     */
    public Routing whenBehind(WhenBehind asked) {
        return new Routing(intent, freshness, Objects.requireNonNull(asked, "whenBehind"), maxWait, policy);
    }

    /**
     * Sets how long a read may wait for a replica before it turns to the primary. Only
     * {@link WhenBehind#WAIT_THEN_PRIMARY} does so: the others do not wait, or do not turn.
     *
     * @param asked how long to wait; zero for not at all
     * @return a copy of this entry
     * @throws IllegalArgumentException if it is negative
     */
    public Routing maxWait(Duration asked) {
        if (asked.isNegative()) {
            throw new IllegalArgumentException("a wait is not negative: " + asked);
        }
        return new Routing(intent, freshness, whenBehind, asked, policy);
    }

    /**
     * Chooses among the replicas that are fresh enough by another policy than the default one.
     *
     * @param name the name of a policy of the factory's; where there is none of that name, whatever is subscribed under
     *     this entry fails with {@link UnknownPolicyException}
     * @return a copy of this entry
     */
    public Routing policy(String name) {
        return new Routing(intent, freshness, whenBehind, maxWait, Objects.requireNonNull(name, "name"));
    }

    /**
     * Returns by which policy a replica is chosen.
     *
     * @return the policy's name, or {@code null} for the default one
     */
    public @Nullable String policy() {
        return policy;
    }

    /**
     * Returns what becomes of reads for which no replica is fresh enough.
     *
     * @return what was asked for, or {@code null} for the factory's setting
     */
    public @Nullable WhenBehind whenBehind() {
        return whenBehind;
    }

    /**
     * Returns how long a read may wait for a replica before it turns to the primary.
     *
     * @return what was asked for, or {@code null} for the factory's setting
     */
    public @Nullable Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns whether a replica may serve.
     *
     * @return the intent
     */
    public Intent intent() {
        return intent;
    }

    /**
     * Returns the freshness that was asked for.
     *
     * @return the freshness, or {@code null} for the default: causal if there is a session, else any
     */
    public @Nullable Freshness freshness() {
        return freshness;
    }

    @Override
    public Context apply(Context context) {
        return context.put(Routing.class, this);
    }

    @Override
    public String toString() {
        if (intent == Intent.WRITE) {
            return "write";
        }
        return "read"
                + (freshness == null ? "" : ", " + freshness)
                + (whenBehind == null ? "" : ", " + whenBehind)
                + (maxWait == null ? "" : ", at most " + maxWait.toMillis() + " ms waiting")
                + (policy == null ? "" : ", policy " + policy);
    }
}
