package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Lineage;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * When is a mark written to the primary's history, by which replicas are told from those of a rival?
 *
 * <p>Once for each branch of a primary that is followed, and again if a replica has forgotten the time of the last one.
 * Everything happens within the monitor's tasks.
 */
final class HistoryMarking {

    private static final Logger LOG = LoggerFactory.getLogger(HistoryMarking.class);

    /** So long after a mark could not be written it is tried again. */
    private static final Duration RETRY = Duration.ofMillis(100);

    /** So long after a mark was written replicas that have not shown it yet are looked at closely. */
    private static final Duration CLOSELY = Duration.ofSeconds(1);

    private final Serial serial;
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final Duration limit;
    private final boolean needed;
    private final Primary primary;
    private BranchMarks marks;
    private boolean busy;
    private boolean closed;
    private long changedAt;

    /** The server whose history it is. Called within the monitor's tasks. */
    interface Primary {

        /** Writes a mark to a branch; empty if it refuses. */
        Mono<HistoryMark> mark(int server, long branch);

        /** What is known of its marks is different now. */
        void marksChanged();
    }

    /**
     * Creates one that has marked nothing.
     *
     * @param limit how long writing a mark may take
     * @param needed whether histories are told apart at all
     */
    HistoryMarking(
            Serial serial, Scheduler scheduler, LongSupplier clock, Duration limit, boolean needed, Primary primary) {
        this.serial = serial;
        this.scheduler = scheduler;
        this.clock = clock;
        this.limit = limit;
        this.needed = needed;
        this.primary = primary;
        this.marks = needed ? BranchMarks.AWAITED : BranchMarks.NONE;
        this.changedAt = clock.getAsLong() - CLOSELY.toNanos();
    }

    BranchMarks marks() {
        return marks;
    }

    /** Somebody is followed, perhaps another one than before: whose history is its own from its promotion on. */
    void follows(RoutingTable table) {
        ServerState followed = table.primary().orElse(null);
        Lineage line = table.lineage();
        if (!needed || followed == null || line == null) {
            return;
        }
        marks = marks.of(followed.index(), line.branch());
        if (marks.lacking() && followed.status() == ServerStatus.UP) {
            write();
        }
    }

    /** A server has answered. */
    void answered(Sample sample) {
        if (marks.forgottenBy(sample)) {
            write();
        }
    }

    /** Whether a replica will soon show the mark, or that it has not got it. */
    boolean awaits(Sample sample) {
        boolean open =
                sample.bearing() == null || marks.toAsk(sample.observation().position(), sample.bearing()) != null;
        return open
                && sample.is(ServerRole.REPLICA)
                && !marks.marks().isEmpty()
                && clock.getAsLong() - changedAt < CLOSELY.toNanos();
    }

    void close() {
        closed = true;
    }

    private void write() {
        if (busy || closed) {
            return;
        }
        busy = true;
        BranchMarks asked = marks;
        Mono<Void> written = Mono.defer(() -> primary.mark(asked.server(), asked.branch()))
                .timeout(limit, scheduler)
                .doOnSuccess(mark -> serial.execute(() -> written(asked, mark)))
                .doOnError(error -> serial.execute(this::failed))
                .then();
        Detached.run(written, error -> LOG.debug("the primary's history was not marked", error));
    }

    private void written(BranchMarks asked, @Nullable HistoryMark mark) {
        busy = false;
        if (closed) {
            return;
        }
        if (marks.server() == asked.server() && marks.branch() == asked.branch()) {
            marks = mark == null ? marks.refused() : marks.with(mark);
            changedAt = clock.getAsLong();
        }
        // also if somebody else is followed by now, who waits for a mark
        primary.marksChanged();
    }

    private void failed() {
        if (!closed) {
            scheduler.schedule(() -> serial.execute(this::retry), RETRY.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** By the next table, for whoever is followed then. */
    private void retry() {
        busy = false;
        if (!closed) {
            primary.marksChanged();
        }
    }
}
