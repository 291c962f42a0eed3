package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.scheduler.Scheduler;

/**
 * When is the primary asked for the position of the writes that have ended, and when is it nudged?
 *
 * <p>One capture at a time: what ends while it is under way waits for the next, and wakes nobody. Writes are handed in,
 * and awaited, on any thread; everything else happens within the monitor's tasks.
 */
final class CaptureLoop {

    /**
     * Writes that end within this time share one position; at one writer it costs less than asking at once. Who waits for
     * one need not wait for others to end: the capture is brought forward to so long after the one before.
     */
    private static final Duration AWAITED_TICK = Duration.ofMillis(1);

    /** Where nobody has waited for a position of late, writes share one for longer: each probe wakes half a dozen threads. */
    private static final Duration UNAWAITED_TICK = Duration.ofMillis(50);

    /** So long after somebody waited for a position, others will. */
    private static final Duration AWAITING_LASTS = Duration.ofSeconds(1);

    /** Those who wait say so no more often than this, so that many do not fight over one cache line. */
    private static final Duration AWAITING_GRAIN = Duration.ofMillis(10);

    /** A position that a replica has not reached after this time, with nothing moving, will not be reached unaided. */
    private static final Duration STALL = Duration.ofMillis(5);

    /** A primary that has written nothing for so long is idle: what a replica lacks then, it may lack for ever. */
    private static final Duration IDLE = Duration.ofMillis(20);

    private final Serial serial;
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final boolean nudging;
    private final Primary primary;
    private final PositionCapture capture;

    private @Nullable Position nudgedTo;
    private @Nullable Position nudgeAskedFor;
    private @Nullable Disposable timer;
    private long capturedAt;
    private long lastSentAt;
    private boolean capturing;
    private volatile long awaitedAt;
    /** Whether a capture is put off for writes that may end meanwhile, which ends with the first who waits. */
    private volatile boolean gathering;

    private volatile Counted counted = new Counted(0, 0, 0, 0, 0, 0, null);
    /** When the first of those that wait was gathered; {@code null} while none does. */
    private volatile @Nullable Long waitingSince;

    /** The server whose positions are captured. Called within the monitor's tasks. */
    interface Primary {

        /**
         * Asks it for its position as soon as possible, if there is one.
         *
         * @return whether there is one
         */
        boolean probe(boolean nudge);
    }

    CaptureLoop(
            Serial serial,
            Scheduler scheduler,
            LongSupplier clock,
            boolean nudging,
            Primary primary,
            LongPredicate partedSince) {
        this.serial = serial;
        this.scheduler = scheduler;
        this.clock = clock;
        this.nudging = nudging;
        this.primary = primary;
        this.capture = new PositionCapture(partedSince);
        long now = clock.getAsLong();
        this.awaitedAt = now - AWAITING_LASTS.toNanos();
        this.capturedAt = now - AWAITING_LASTS.toNanos();
        this.lastSentAt = now;
    }

    /** Takes a write that has ended. Any thread. */
    void handIn(EndedWrite write) {
        if (capture.handIn(write)) {
            serial.execute(() -> begin(tick(), true));
        }
    }

    /** Somebody waits for the position of a write, or soon will. Any thread, as often as they like. */
    void awaited() {
        long now = clock.getAsLong();
        if (now - awaitedAt > AWAITING_GRAIN.toNanos()) {
            awaitedAt = now;
        }
        if (gathering) {
            serial.execute(this::bringForward);
        }
    }

    private Duration tick() {
        return clock.getAsLong() - awaitedAt < AWAITING_LASTS.toNanos() ? AWAITED_TICK : UNAWAITED_TICK;
    }

    private void begin(Duration delay, boolean gathers) {
        if (!scheduler.isDisposed()) {
            gathering = gathers;
            timer = scheduler.schedule(() -> serial.execute(this::send), delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void bringForward() {
        Disposable scheduled = timer;
        if (scheduled != null && gathering) {
            scheduled.dispose();
            begin(sinceLastProbe(AWAITED_TICK), false);
        }
    }

    /** How long it is until a time after the last probe. */
    private Duration sinceLastProbe(Duration time) {
        return Duration.ofNanos(Math.max(lastSentAt + time.toNanos() - clock.getAsLong(), 0));
    }

    private void noteWaiting() {
        waitingSince = capture.oldest();
    }

    private void send() {
        if (!capturing) {
            timer = null;
            gathering = false;
            capture.gather();
            noteWaiting();
            capturing = true;
            if (capture.waiting()) {
                askPrimary();
            } else {
                end();
            }
        }
    }

    /** Asks whoever is the primary now, if writes wait for that; who becomes it later answers unasked. */
    private void askPrimary() {
        // before it is sent: the answer to this probe is one that was asked for after now
        lastSentAt = clock.getAsLong();
        primary.probe(nudging && capture.needsNudge());
    }

    /** A probe of the primary failed, and with it the nudge that it may have carried. */
    void primaryFailed() {
        nudgeAskedFor = null;
    }

    /** The configuration was read again: whether a commit waited for the disk is no longer known. */
    void forgetDurability() {
        capture.gather();
        capture.forgetDurability();
    }

    /**
     * Settles what an answer of the primary can settle.
     *
     * @param server the index of the primary
     * @param sample what it answered
     * @param position the position in it
     * @return what became of the writes
     */
    PositionCapture.Outcome answered(int server, Sample sample, Position position) {
        if (sample.nudged()) {
            nudgedTo = position;
        }
        PositionCapture.Outcome outcome = capture.settle(server, sample, position, !nudging);
        long now = clock.getAsLong();
        if (outcome.settled() > 0 || sample.nudged()) {
            capturedAt = now;
        }
        if (outcome.settled() > 0 || sample.nudged() || !outcome.possiblyLost().isEmpty()) {
            counted = counted.with(outcome, sample, now, capture.latest());
        }
        noteWaiting();
        if (capturing && sample.sentAt() - lastSentAt >= 0) {
            if (capture.waiting()) {
                askPrimary();
            } else {
                end();
            }
        }
        return outcome;
    }

    /** Sessions held positions that may be lost. */
    void positionsLost(int positions) {
        counted = counted.withLost(positions);
    }

    private void end() {
        capturing = false;
        if (capture.over()) {
            Duration tick = tick();
            begin(sinceLastProbe(tick), tick.equals(UNAWAITED_TICK));
        }
    }

    /**
     * A flush position can end inside a record that another session has not finished; no replica gets beyond it before
     * that record is flushed. One nudge after the last capture is enough: it flushes everything before itself.
     *
     * @param before where a replica was, in the sample before
     * @param now where it is
     */
    void nudgeIfStalled(@Nullable Position before, @Nullable Position now) {
        Position wanted = capture.latest();
        if (wanted == null || now == null || !nudging) {
            return;
        }
        boolean stuck = !now.covers(wanted) && now.equals(before) && clock.getAsLong() - capturedAt > STALL.toNanos();
        boolean nudged = covers(nudgedTo, wanted) || covers(nudgeAskedFor, wanted);
        if (stuck && !nudged && primary.probe(true)) {
            nudgeAskedFor = wanted;
        }
    }

    /**
     * The same for the position of a primary that has stood still, whether it was captured for a session or not.
     *
     * @param newest where the primary is
     * @param still for how long it has been there, in nanoseconds
     * @param before where a replica was, in the sample before
     * @param now where it is
     */
    void nudgeIfIdle(Position newest, long still, @Nullable Position before, @Nullable Position now) {
        boolean stuck = now != null && !now.covers(newest) && now.equals(before) && still > IDLE.toNanos();
        boolean nudged = covers(nudgedTo, newest) || covers(nudgeAskedFor, newest);
        if (nudging && stuck && !nudged && primary.probe(true)) {
            nudgeAskedFor = newest;
        }
    }

    private static boolean covers(@Nullable Position position, Position wanted) {
        return position != null && position.covers(wanted);
    }

    /**
     * Whether a replica at the position lacks what sessions were given within the last time.
     *
     * @param position where it is; {@code null} if that is not known
     * @param lately how long after a capture replicas are expected to reach it
     */
    boolean missedBy(@Nullable Position position, Duration lately) {
        Position wanted = capture.latest();
        return wanted != null
                && (position == null || !position.covers(wanted))
                && clock.getAsLong() - capturedAt <= lately.toNanos();
    }

    /** Any thread. */
    CaptureStatistics statistics(RoutingTable table) {
        Counted now = counted;
        long time = clock.getAsLong();
        Position latest = now.latest;
        int uncovered = 0;
        for (ServerState replica : table.servers()) {
            boolean answers = replica.role() == ServerRole.REPLICA && replica.status() == ServerStatus.UP;
            if (latest != null && answers && !replica.covers(List.of(latest))) {
                uncovered++;
            }
        }
        Long since = waitingSince;
        return new CaptureStatistics(
                capture.size(),
                since == null ? Duration.ZERO : Duration.ofNanos(Math.max(0, time - since)),
                now.captures,
                now.captured,
                Duration.ofNanos(now.took),
                now.nudges,
                now.possiblyLost,
                uncovered,
                uncovered == 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, time - now.at)));
    }

    /** What has been counted so far; replaced whole by the monitor's tasks. */
    private record Counted(
            long captures,
            long captured,
            long took,
            long nudges,
            long possiblyLost,
            long at,
            @Nullable Position latest) {

        Counted withLost(int more) {
            return new Counted(captures, captured, took, nudges, possiblyLost + more, at, latest);
        }

        Counted with(PositionCapture.Outcome outcome, Sample sample, long now, @Nullable Position newest) {
            boolean any = outcome.settled() > 0;
            return new Counted(
                    captures + (any ? 1 : 0),
                    captured + outcome.settled(),
                    any ? now - sample.sentAt() : took,
                    nudges + (sample.nudged() ? 1 : 0),
                    possiblyLost + outcome.possiblyLost().size(),
                    any ? now : at,
                    newest);
        }
    }
}
