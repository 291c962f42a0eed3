package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.r2dbc.spi.Result;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.publisher.Flux;

/**
 * When is a statement over that somebody follows?
 *
 * <p>When its execution and every result that it emitted have completed, with the first failure, and with the first
 * cancel; but whoever has the one result that there is may cancel the execution. Thread-safe.
 */
final class FollowedExecution {

    private final FollowedUse use;
    private final boolean oneResult;
    private final AtomicInteger open = new AtomicInteger(1);
    private final AtomicInteger results = new AtomicInteger();
    private final AtomicBoolean executed = new AtomicBoolean();

    private FollowedExecution(FollowedUse use, boolean oneResult) {
        this.use = use;
        this.oneResult = oneResult;
    }

    /** Passes everything on, and tells the end. */
    static Flux<Result> of(Flux<Result> execution, FollowedUse use, boolean oneResult) {
        FollowedExecution followed = new FollowedExecution(use, oneResult);
        return execution
                .<Result>map(followed::emitted)
                .doOnComplete(followed::executed)
                .doOnError(use::failed)
                .doOnCancel(followed::cancelled);
    }

    private Result emitted(Result result) {
        open.incrementAndGet();
        results.incrementAndGet();
        return new FollowedResult(result, this);
    }

    private void executed() {
        if (executed.compareAndSet(false, true)) {
            // many leave the result of a write unread
            use.mayBeLeft();
            partOver();
        }
    }

    private void cancelled() {
        if (oneResult && results.get() == 1) {
            executed();
        } else if (!executed.get()) {
            use.ended(End.CANCELLED);
        }
    }

    void partOver() {
        if (open.decrementAndGet() == 0) {
            use.ended(End.COMPLETED);
        }
    }

    FollowedUse use() {
        return use;
    }
}
