package io.github.r2dbcrouting.test.history;

/**
 * How did a write end? The first answer counts. Thread-safe.
 *
 * @since 0.1.0
 */
public final class WriteInvocation extends Invocation {

    WriteInvocation(HistoryRecorder recorder, long session, Action action, long key, long value) {
        super(recorder, session, action, new long[] {key}, value);
        recorder.begun(this);
    }

    /** Says that it was acknowledged. */
    public void ok() {
        end(Outcome.OK, new long[0][], null);
    }

    /**
     * Says that it was acknowledged, and where.
     *
     * @param place words for people
     */
    public void ok(String place) {
        end(Outcome.OK, new long[0][], Operation.Place.named(place));
    }

    /** Says that it surely did nothing. If that is not sure, {@link #unknown()} is meant. */
    public void failed() {
        end(Outcome.FAILED, new long[0][], null);
    }

    /** Says that it was cancelled, or failed in a way that tells nothing. */
    public void unknown() {
        end(Outcome.UNKNOWN, new long[0][], null);
    }
}
