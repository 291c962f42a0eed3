package io.github.r2dbcrouting.spi;

import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Who follows what is routed, from the question where it runs until it is over?
 *
 * <p>That is a transaction, or a statement outside of one: each of them is routed by itself, whatever connection it
 * belongs to. Thread-safe.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface ConnectionObserver {

    /** What is routed as one. */
    enum Scope {
        /** A statement, or a batch, outside of a transaction. */
        STATEMENT,
        /** A transaction, with all statements in it. */
        TRANSACTION
    }

    /** How it ended. */
    enum End {
        /** A statement whose results were read to their end, or a transaction that was committed. */
        COMPLETED,
        /** A transaction that was rolled back, by its own command or because its connection was closed. */
        ROLLED_BACK,
        /** No server could be had, or the server or the connection failed. */
        FAILED,
        /** Whoever subscribed did not want the rest, or left the results unread. */
        CANCELLED
    }

    /**
     * Called when a statement outside of a transaction is subscribed, or the begin of a transaction, before anything is
     * decided, on the subscriber's thread: it must be quick and must not block. What it throws is logged, and nothing is
     * followed then.
     *
     * @param scope what is routed
     * @param context the subscriber's Context
     * @return follows it; {@code null} if nobody wants to
     */
    @Nullable
    Use begins(Scope scope, ContextView context);

    /** One statement or transaction that is followed. Thread-safe; neither method may block. */
    interface Use {

        /**
         * Returns the Context in which it is decided where it runs, and in which it is sent; for a transaction called for
         * its begin, and then for each statement in it. A {@link io.github.r2dbcrouting.RoutingListener} in it hears of
         * the decisions. What the subscriber does with the results does not see it.
         *
         * @param context that of the subscriber
         * @return the one to go on with
         */
        Context within(Context context);

        /**
         * Called exactly once, before the signal that ends it is passed on: when it is over, at the latest when its
         * connection is closed.
         *
         * @param end how it ended
         * @param error why, if it {@linkplain End#FAILED failed}; {@code null} otherwise
         */
        void ended(End end, @Nullable Throwable error);
    }
}
