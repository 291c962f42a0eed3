package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.Message;
import io.r2dbc.spi.Result.Segment;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/**
 * One attempt of an execution, on one connection: has its subscriber seen anything of it yet?
 *
 * <p>A failure may show when the command is executed, or when its result is consumed, or in both, since the driver sends
 * some commands only then. Until the subscriber has seen something, which is until the first call of a function of its
 * own or the first value, the first failure decides: if there is a way on, whatever the subscriber does with the result
 * of this attempt is done with that of the next one instead. Signals of one attempt come one at a time.
 *
 * <p>What is cancelled before it has answered may go on for long, or wait for something that never comes, so its
 * connection is drained before it is lent again. Once something was seen of the only result, the driver reads the rest
 * ahead of whatever is sent next.
 */
final class Attempt implements Ending {

    private final Execution execution;
    private final Lease lease;
    private final @Nullable WatchedWrite watched;
    private final boolean mayLeave;
    private volatile boolean seen;
    private volatile boolean answered;
    private volatile long sentAt;
    private volatile boolean resultEmitted;
    private volatile @Nullable Throwable heard;
    private volatile @Nullable Flux<Result> wayOn;

    /**
     * Creates an attempt.
     *
     * @param execution what it belongs to
     * @param lease where it runs
     * @param tracked what a session hears of it; {@code null} if none does
     * @param mayLeave whether it can be run elsewhere at all
     */
    Attempt(Execution execution, Lease lease, @Nullable Tracked tracked, boolean mayLeave) {
        this.execution = execution;
        this.lease = lease;
        this.watched = tracked == null
                ? null
                : new WatchedWrite(lease, tracked, execution.command().oneResult());
        this.mayLeave = mayLeave;
    }

    /** Sends the command when it is subscribed, or, as the driver does, when its results are consumed. */
    Flux<Result> results() {
        Command command = execution.command();
        boolean sentAtOnce = lease.engine().sentAtOnce(command.text());
        Flux<? extends Result> sent = execution.within(Flux.defer(() -> {
            sentAt = System.nanoTime();
            return command.sent().apply(lease.connection());
        }));
        // the driver drops a result that arrives after the cancel, and with it the rest of the conversation
        Flux<? extends Result> kept = sentAtOnce ? sent.doOnDiscard(Result.class, Lease::discard) : sent;
        Flux<Result> here = new InUse<Result>(lease, kept, () -> {}, this, sentAtOnce).map(result -> {
            // from here on it is the result that goes on elsewhere
            resultEmitted = true;
            return new RoutedResult(result, this, watched == null ? null : watched.opened(), sentAtOnce);
        });
        return here.onErrorResume(error -> leaves(error)
                ? resultEmitted ? Flux.empty() : onwards()
                : Flux.error(execution.explained(lease, error)));
    }

    @Override
    public void completed() {
        if (watched != null) {
            watched.completed();
        }
    }

    @Override
    public void failed(Throwable error) {
        if (watched != null) {
            watched.failed(error);
        }
    }

    @Override
    public void cancelled() {
        // whoever takes the only result cancels what follows it, which is nothing
        if (!resultEmitted || !execution.command().oneResult()) {
            lease.markUncertain();
        }
        if (watched != null) {
            watched.cancelled();
        }
    }

    /** Its result was consumed to the end. */
    void resultConsumed() {
        answered();
        execution.succeeded(lease);
    }

    /** Its result is not consumed any longer. */
    void resultCancelled() {
        if (!seen) {
            lease.markUncertain();
        }
    }

    /** Once for each row: reading it costs less than writing it. */
    void see() {
        if (!seen) {
            seen = true;
            answered();
        }
    }

    /** Not when it is over: how quickly rows are read is up to the reader. */
    private void answered() {
        if (!answered) {
            answered = true;
            execution.answered(lease, sentAt);
        }
    }

    Lease lease() {
        return lease;
    }

    /** Consumes a result of this attempt, or that of the next one in the same way. */
    <T> Flux<T> consume(Flux<T> here, Function<Result, Publisher<T>> elsewhere) {
        return here.onErrorResume(error ->
                leaves(error) ? onwards().concatMap(elsewhere) : Flux.error(execution.explained(lease, error)));
    }

    /** Whether the execution goes on elsewhere after this failure. Asked again, it answers the same. */
    private boolean leaves(Throwable error) {
        if (wayOn != null) {
            return true;
        }
        if (!error.equals(heard)) {
            heard = error;
            execution.failed(lease, error);
        }
        if (!mayLeave || (seen && execution.repeatsOnlyWhatIsSafe())) {
            return false;
        }
        wayOn = execution.wayOn(lease, error);
        return wayOn != null;
    }

    private Flux<Result> onwards() {
        Flux<Result> next = wayOn;
        return next == null ? Flux.empty() : next;
    }

    <A, B, R> BiFunction<A, B, R> watch(BiFunction<A, B, ? extends R> mapping) {
        return (a, b) -> {
            see();
            return mapping.apply(a, b);
        };
    }

    <A, R> Function<A, R> watch(Function<? super A, ? extends R> mapping) {
        return a -> {
            see();
            return mapping.apply(a);
        };
    }

    /** With segments an error is one of them, which the subscriber is not shown if there is a way on. */
    <T> Function<Segment, Publisher<? extends T>> watchSegments(
            Function<Segment, ? extends Publisher<? extends T>> mapping) {
        return segment -> {
            if (segment instanceof Message message && leaves(message.exception())) {
                return Flux.error(message.exception());
            }
            see();
            return mapping.apply(segment);
        };
    }

    Predicate<Segment> watchFilter(Predicate<Segment> filter) {
        return segment -> {
            if (segment instanceof Message message && leaves(message.exception())) {
                return true;
            }
            see();
            return filter.test(segment);
        };
    }
}
