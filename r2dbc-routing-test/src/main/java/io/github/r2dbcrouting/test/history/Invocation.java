package io.github.r2dbcrouting.test.history;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** What was asked and has not ended? The first ending counts; later ones are ignored, as a cancel may cross an answer. */
abstract sealed class Invocation permits WriteInvocation, ReadInvocation {

    private final HistoryRecorder recorder;
    private final long session;
    private final Action action;
    private final long[] keys;
    private final long value;
    private final long invokedAt;
    private final long invoked;
    private final AtomicBoolean over = new AtomicBoolean();

    Invocation(HistoryRecorder recorder, long session, Action action, long[] keys, long value) {
        if (keys.length == 0) {
            throw new IllegalArgumentException("a read needs at least one key");
        }
        this.recorder = recorder;
        this.session = session;
        this.action = action;
        this.keys = keys;
        this.value = value;
        this.invokedAt = recorder.nanos();
        this.invoked = recorder.next();
    }

    final void end(Outcome outcome, long[][] seen, Operation.@Nullable Place place) {
        if (over.compareAndSet(false, true)) {
            Operation.Span span = new Operation.Span(invoked, recorder.next(), invokedAt, recorder.nanos());
            recorder.ended(this, new Operation(session, action, keys, value, seen, outcome, span, place));
        }
    }

    final int keyCount() {
        return keys.length;
    }

    /** What is known of it while it has not ended, {@code null} if it has. */
    final @Nullable Operation unended() {
        if (over.get()) {
            return null;
        }
        Operation.Span span = new Operation.Span(invoked, Long.MAX_VALUE, invokedAt, Long.MAX_VALUE);
        return new Operation(session, action, keys, value, new long[0][], Outcome.UNKNOWN, span, null);
    }
}
