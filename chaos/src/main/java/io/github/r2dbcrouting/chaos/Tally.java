package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.ServerRole;
import io.r2dbc.spi.R2dbcException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import reactor.core.Exceptions;
import reactor.core.publisher.Sinks;

/** How many of what? Thread-safe. */
final class Tally {

    private static final int MOST_KEPT = 20;
    private static final int MOST_FRAMES = 20;

    final LongAdder asked = new LongAdder();
    final LongAdder answered = new LongAdder();
    final LongAdder reads = new LongAdder();
    final LongAdder readsFromReplicas = new LongAdder();
    final LongAdder cancelled = new LongAdder();
    final LongAdder told = new LongAdder();
    final LongAdder hops = new LongAdder();
    final LongAdder stuck = new LongAdder();
    private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();
    private final Queue<String> unexpected = new ConcurrentLinkedQueue<>();

    void readBy(@Nullable RouteDecision decision) {
        reads.increment();
        if (decision != null && decision.role() == ServerRole.REPLICA) {
            readsFromReplicas.increment();
        }
    }

    /** An error that is none of R2DBC's would surprise an application. */
    void failed(String what, Throwable error) {
        if (error instanceof TimeoutException) {
            stuck.increment();
            keep("stuck: " + what);
            return;
        }
        String kind = error.getClass().getSimpleName();
        if (error instanceof R2dbcException known) {
            kind += known.getSqlState() == null ? "" : " " + known.getSqlState();
        } else if (!isRaceOfTheDriver(error)) {
            keep(what + ": " + withFrames(error));
        }
        errors.computeIfAbsent(kind, name -> new LongAdder()).increment();
    }

    /**
     * The driver sends the parts of one statement from two threads, without a lock: what is emitted at the same time fails.
     * It takes threads that are held up at that moment.
     */
    private static boolean isRaceOfTheDriver(Throwable error) {
        return error instanceof Sinks.EmissionException
                && Arrays.stream(error.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().startsWith("io.r2dbc.postgresql."));
    }

    /** An error that nobody heard of: of a connection that is gone none is missed. */
    void dropped(Throwable error) {
        Throwable cause =
                Exceptions.isErrorCallbackNotImplemented(error) && error.getCause() != null ? error.getCause() : error;
        if (!(cause instanceof R2dbcException) && !(cause instanceof IOException)) {
            keep("dropped: " + withFrames(cause));
        }
    }

    private static String withFrames(Throwable error) {
        return error + " at "
                + Arrays.stream(error.getStackTrace()).limit(MOST_FRAMES).toList();
    }

    private void keep(String text) {
        if (unexpected.size() < MOST_KEPT) {
            unexpected.add(text);
        }
    }

    Map<String, Long> errors() {
        Map<String, Long> sorted = new TreeMap<>();
        errors.forEach((kind, count) -> sorted.put(kind, count.sum()));
        return sorted;
    }

    Queue<String> unexpected() {
        return unexpected;
    }
}
