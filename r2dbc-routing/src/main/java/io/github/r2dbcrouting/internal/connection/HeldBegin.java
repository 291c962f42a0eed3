package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.TransactionDefinition;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.util.context.ContextView;

/**
 * When does the server hear of a transaction whose begin was held back? With the first statement that is sent in it, in
 * the same flight; or never, if there is none.
 *
 * <p>Nobody who sends a statement is shown anything of it before the server has begun the transaction: if it has not,
 * everyone hears why, until the transaction is ended. Nothing cancels a begin that is on its way, since others of the
 * transaction rely on it; whoever gives the connection back before the answer has to drain it. Thread-safe.
 *
 * <pre>
 * UNSENT ──► SENDING ──► SENT ──► BEGUN
 *    │                     └────► FAILED
 *    └─► DROPPED
 * </pre>
 */
final class HeldBegin {

    private static final Set<IsolationLevel> UNDERSTOOD = Set.of(
            IsolationLevel.READ_UNCOMMITTED,
            IsolationLevel.READ_COMMITTED,
            IsolationLevel.REPEATABLE_READ,
            IsolationLevel.SERIALIZABLE);

    private enum State {
        UNSENT,
        /** A thread is about to hand it to the driver: what another one sent now might overtake it. */
        SENDING,
        SENT,
        BEGUN,
        FAILED,
        DROPPED
    }

    private final Publisher<Void> begin;
    private final @Nullable IsolationLevel isolation;
    private final Runnable onSending;
    private final AtomicReference<State> state = new AtomicReference<>(State.UNSENT);
    private final Sinks.Empty<Void> answer = Sinks.empty();

    /**
     * Holds a begin back.
     *
     * @param begin sends it when it is subscribed
     * @param isolation the level that it asks for; {@code null} if it asks for none
     * @param onSending runs right before it is sent
     */
    HeldBegin(Publisher<Void> begin, @Nullable IsolationLevel isolation, Runnable onSending) {
        this.begin = begin;
        this.isolation = isolation;
        this.onSending = onSending;
    }

    /**
     * Whether a begin is one that every server understands. After one that is refused the server would run what follows
     * it outside of a transaction.
     */
    static boolean mayHold(@Nullable TransactionDefinition definition) {
        IsolationLevel asked = isolation(definition);
        return asked == null || UNDERSTOOD.contains(asked);
    }

    static @Nullable IsolationLevel isolation(@Nullable TransactionDefinition definition) {
        return definition == null ? null : definition.getAttribute(TransactionDefinition.ISOLATION_LEVEL);
    }

    /**
     * Sends the begin if nobody has, and returns what sends the statement behind it. To be subscribed at once.
     *
     * @param context the subscriber's, which becomes that of the begin
     */
    <T> Publisher<? extends T> ahead(Publisher<? extends T> statement, ContextView context) {
        send(context);
        return switch (Objects.requireNonNull(state.get(), "state")) {
            case BEGUN, DROPPED -> statement;
            case SENT ->
                // both are subscribed at once, and the errors of the first come first; the server answers in this
                // order,
                // so that nothing piles up meanwhile
                Flux.<T>mergeSequential(answer.asMono().then(Mono.<T>empty()), statement);
            case UNSENT, SENDING, FAILED -> answer.asMono().thenMany(Flux.from(statement));
        };
    }

    /** Sends the begin if nobody has, and waits until the server has begun the transaction. */
    Mono<Void> begun() {
        return Mono.deferContextual(context -> {
            send(context);
            return answer.asMono();
        });
    }

    private void send(ContextView context) {
        if (!state.compareAndSet(State.UNSENT, State.SENDING)) {
            return;
        }
        onSending.run();
        Mono<Void> sent = Mono.<Void>fromDirect(begin).doOnSuccess(ignored -> {
            state.set(State.BEGUN);
            answer.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        });
        Detached.run(sent.contextWrite(context), error -> {
            state.set(State.FAILED);
            answer.emitError(error, Sinks.EmitFailureHandler.FAIL_FAST);
        });
        // the driver has its command now, unless it has answered already
        state.compareAndSet(State.SENDING, State.SENT);
    }

    /** Waits until it is known whether the server has begun the transaction; sends nothing. */
    Mono<Void> answered() {
        return answer.asMono();
    }

    /** Ends the transaction if the server has not heard of it, and returns whether that was so. */
    boolean drop() {
        boolean unheard = state.compareAndSet(State.UNSENT, State.DROPPED);
        if (unheard) {
            answer.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        }
        return unheard;
    }

    /** Whether the driver knows of the transaction what there is to know. */
    boolean knownToDriver() {
        return state.get() == State.BEGUN;
    }

    /** Whether the connection may still be busy with the begin, or with what was sent behind one that failed. */
    boolean unsettled() {
        State now = state.get();
        return now == State.SENDING || now == State.SENT || now == State.FAILED;
    }

    /** The level that the transaction asks for; {@code null} if it asks for none. */
    @Nullable
    IsolationLevel isolation() {
        return isolation;
    }
}
