package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Use;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.util.context.Context;

/**
 * One statement or transaction that somebody follows: has its end been told?
 *
 * <p>It is told once, whatever ends it first. An observer that fails disturbs nobody. Thread-safe.
 */
final class FollowedUse {

    private static final Logger LOG = LoggerFactory.getLogger(FollowedUse.class);

    private final Use use;
    private final FollowedUses among;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile End unlessTold;

    /**
     * Follows one.
     *
     * @param use hears of its end
     * @param among where it is removed when it is over
     * @param unlessTold how it ends if its connection is closed before
     */
    FollowedUse(Use use, FollowedUses among, End unlessTold) {
        this.use = use;
        this.among = among;
        this.unlessTold = unlessTold;
    }

    Context within(Context context) {
        try {
            return use.within(context);
        } catch (RuntimeException failure) {
            failed("added nothing to the Context", failure);
            return context;
        }
    }

    /** From here on its connection may be closed without anything being missing. */
    void mayBeLeft() {
        unlessTold = End.COMPLETED;
    }

    void left() {
        ended(unlessTold);
    }

    void ended(End end) {
        ended(end, null);
    }

    void failed(Throwable error) {
        ended(End.FAILED, error);
    }

    void ended(End end, @Nullable Throwable error) {
        if (!over.compareAndSet(false, true)) {
            return;
        }
        among.over(this);
        try {
            use.ended(end, error);
        } catch (RuntimeException failure) {
            failed("did not take the end", failure);
        }
    }

    private static void failed(String what, RuntimeException failure) {
        LOG.warn("a connection observer {}; the request goes on", what, failure);
    }
}
