package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.reactive.Acquisition;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * Keeps asking one server where it stands, on a connection of its own.
 *
 * <p>One probe at a time: connect and introduce, then observe at the pace that the monitor sets; after a failure the
 * connection is replaced. Everything in it runs as a task of the monitor's.
 *
 * <pre>
 *            connect                 answered               pace is over, or asked
 *   ABSENT ───────────► PROBING ◄──────────────► RESTING ───────────────────────────► PROBING
 *      ▲                   │ failed
 *      └───────────────────┘ after a pause
 * </pre>
 */
final class ServerSampler {

    private static final Logger LOG = LoggerFactory.getLogger(ServerSampler.class);

    /** Spreads the probes of many routers that were started together: at rest each pause varies by so much. */
    private static final double JITTER = 0.2;

    private static final int GRAIN = 1 << 20;

    /** No server is probed more often than this because requests want to know. */
    private static final Duration LEAST_PAUSE = Duration.ofMillis(1);

    private static final Duration FIRST_RETRY = Duration.ofMillis(20);
    private static final Duration LAST_RETRY = Duration.ofSeconds(1);

    private final MonitoredServer server;
    private final Engine engine;
    private final Duration probeTimeout;
    private final Serial serial;
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final IntUnaryOperator chance;
    private final Audience audience;

    private @Nullable Monitored connection;
    private boolean probing;
    private boolean nudgeNext;
    private boolean askedMeanwhile;
    private boolean soonNext;
    private boolean closed;
    private int failures;
    private long sentAt;
    private volatile @Nullable Duration probeTime;
    private long dueAt;
    private long wakeAt;
    private @Nullable Disposable timer;
    private @Nullable Disposable probe;

    ServerSampler(
            MonitoredServer server,
            Engine engine,
            Duration probeTimeout,
            Serial serial,
            Scheduler scheduler,
            LongSupplier clock,
            IntUnaryOperator chance,
            Audience audience) {
        this.server = server;
        this.engine = engine;
        this.probeTimeout = probeTimeout;
        this.serial = serial;
        this.scheduler = scheduler;
        this.clock = clock;
        this.chance = chance;
        this.audience = audience;
    }

    /** Who hears of the answers, and says when to ask again. Called within the monitor's tasks. */
    interface Audience {

        void answered(MonitoredServer server, Sample sample);

        void failed(MonitoredServer server, Throwable error);

        Duration pace(MonitoredServer server);

        /** By what the history of the primary is known in that of a replica. */
        BranchMarks marks();
    }

    /** Probes as soon as the one under way, if any, is answered. */
    void probeNow(boolean nudge) {
        nudgeNext |= nudge;
        if (probing) {
            askedMeanwhile = true;
        } else {
            probe();
        }
    }

    /** Probes soon, after the one under way if there is one; however often it is asked to, no more than that. */
    void probeSoon() {
        if (probing) {
            soonNext = true;
            return;
        }
        long due = Math.max(sentAt + LEAST_PAUSE.toNanos() - clock.getAsLong(), 0) + clock.getAsLong();
        if (due - dueAt < 0) {
            dueAt = due;
            wakeAt(due);
        }
    }

    /** Brings the next probe forward if the pace is quicker now than when it was set. */
    void hurry() {
        if (!probing && connection != null && failures == 0) {
            long due = clock.getAsLong() + audience.pace(server).toNanos();
            if (due - dueAt < 0) {
                dueAt = due;
                wakeAt(due);
            }
        }
    }

    /** Asks the server something of its own, on the sampler's connection. */
    Mono<Boolean> backendGone(String backend) {
        Monitored monitored = connection;
        return monitored == null ? Mono.empty() : engine.backendGone(monitored.connection, backend);
    }

    /** Learns which functions there are, on the sampler's connection. Errors while there is none. */
    Mono<Void> learnFunctions() {
        Monitored monitored = connection;
        return monitored == null
                ? Mono.error(new IllegalStateException(server.name() + " has no connection"))
                : engine.learnFunctions(monitored.connection);
    }

    /** Asks the server anything, on the sampler's connection. */
    <T> Mono<T> ask(Function<? super Connection, Mono<T>> question) {
        Monitored monitored = connection;
        return monitored == null ? Mono.empty() : question.apply(monitored.connection);
    }

    /** Asks a primary how far its history has come, on the sampler's connection. */
    Mono<Position> end() {
        Monitored monitored = connection;
        return monitored == null ? Mono.empty() : engine.end(monitored.connection, monitored.introduction);
    }

    /** Writes a mark to a primary's history, on the sampler's connection. An error while there is none. */
    Mono<HistoryMark> mark(long branch) {
        Monitored monitored = connection;
        return monitored == null || monitored.introduction.observation().branch() != branch
                ? Mono.error(new IllegalStateException(server.name() + " has no connection to that branch"))
                : engine.mark(monitored.connection, monitored.introduction);
    }

    void close() {
        closed = true;
        cancel(timer);
        cancel(probe);
        discard();
    }

    private void probe() {
        if (closed) {
            return;
        }
        probing = true;
        Monitored monitored = connection;
        // an introduction does not nudge: the probe after it does
        boolean nudge = nudgeNext && monitored != null;
        nudgeNext &= !nudge;
        askedMeanwhile = false;
        soonNext = false;
        long askedAt = clock.getAsLong();
        sentAt = askedAt;
        wakeAt(askedAt + probeTimeout.toNanos());
        // deferred, so that what throws instead of signalling an error counts as a failure, too
        BranchMarks marks = audience.marks();
        Mono<Answer> answer = Mono.defer(() -> monitored == null
                ? introduce(marks)
                : observe(monitored, askedAt, nudge).flatMap(answered -> searched(answered, marks)));
        probe = answer.subscribe(
                answered -> serial.execute(() -> answered(answered)), error -> serial.execute(() -> failed(error)));
    }

    private Mono<Answer> introduce(BranchMarks marks) {
        return new Acquisition<Connection>(
                        server.factory().create(),
                        this::close,
                        probeTimeout,
                        scheduler,
                        () -> new R2dbcTimeoutException("no connection within " + probeTimeout.toMillis() + " ms"))
                .flatMap(fresh -> {
                    long askedAt = clock.getAsLong();
                    return engine.introduce(fresh)
                            .flatMap(introduction -> introduced(fresh, introduction, clock.getAsLong(), askedAt, false))
                            .flatMap(answer -> searched(answer, marks))
                            .doOnError(error -> close(fresh))
                            .doOnCancel(() -> close(fresh));
                });
    }

    private Mono<Answer> observe(Monitored monitored, long askedAt, boolean nudge) {
        Connection asked = monitored.connection;
        Mono<Observation> observation = nudge
                ? engine.nudgeAndObserve(asked, monitored.introduction)
                : engine.observe(asked, monitored.introduction);
        return observation.flatMap(observed -> {
            boolean promoted = observed.role() == ServerRole.PRIMARY
                    && monitored.introduction.observation().role() == ServerRole.REPLICA;
            return promoted
                    ? engine.introduce(asked)
                            .flatMap(again -> introduced(asked, again, monitored.openedAt, askedAt, nudge))
                    : Mono.just(new Answer(monitored, observed, askedAt, nudge));
        });
    }

    /** Once for each connection: what is in a history stays there, and what is not does not come into its past. */
    private Mono<Answer> searched(Answer answer, BranchMarks marks) {
        Monitored monitored = answer.monitored;
        Observation observed = answer.observation;
        HistoryMark mark =
                observed.role() == ServerRole.REPLICA ? marks.toAsk(observed.position(), monitored.bearing) : null;
        if (mark == null) {
            return Mono.just(answer);
        }
        return engine.bears(monitored.connection, mark)
                .map(borne -> borne ? Bearing.Verdict.BORNE : Bearing.Verdict.ABSENT)
                .defaultIfEmpty(Bearing.Verdict.FORGOTTEN)
                .map(verdict -> answer.found(new Bearing(mark, verdict)));
    }

    private Mono<Answer> introduced(
            Connection asked, Introduction introduction, long openedAt, long askedAt, boolean nudged) {
        return engine.ancestors(asked, introduction)
                .map(ancestors -> new Answer(
                        new Monitored(asked, introduction, openedAt, ancestors, null),
                        introduction.observation(),
                        askedAt,
                        nudged));
    }

    private void answered(Answer answer) {
        if (closed || !probing) {
            close(answer.monitored.connection);
            return;
        }
        probing = false;
        failures = 0;
        connection = answer.monitored;
        probeTime = Duration.ofNanos(clock.getAsLong() - answer.sentAt);
        audience.answered(server, answer.sample());
        if (askedMeanwhile || nudgeNext) {
            probe();
        } else {
            Duration pace = soonNext ? LEAST_PAUSE : audience.pace(server);
            double spread = 1 + JITTER * (2 * (double) chance.applyAsInt(GRAIN) / GRAIN - 1);
            probeAt(answer.sentAt + Math.max((long) (pace.toNanos() * spread), LEAST_PAUSE.toNanos()));
        }
    }

    /** How long the latest answered probe took; {@code null} if none was answered. Any thread. */
    @Nullable
    Duration probeTime() {
        return probeTime;
    }

    private void failed(Throwable error) {
        if (closed || !probing) {
            return;
        }
        probing = false;
        failures++;
        discard();
        LOG.debug("probe of {} failed", server.name(), error);
        audience.failed(server, error);
        long pause = Math.min(FIRST_RETRY.toNanos() << Math.min(failures - 1, 10), LAST_RETRY.toNanos());
        probeAt(clock.getAsLong() + pause);
    }

    private void probeAt(long time) {
        dueAt = time;
        wakeAt(time);
    }

    /**
     * Sees to it that {@link #awake} runs at the time. A timer that goes off earlier is left alone and sets itself
     * again: under load, when every answer brings a new due time, that saves setting and cancelling one for each.
     */
    private void wakeAt(long time) {
        if (closed || (timer != null && wakeAt - time <= 0)) {
            return;
        }
        cancel(timer);
        wakeAt = time;
        timer = scheduler.schedule(
                () -> serial.execute(this::awake), Math.max(time - clock.getAsLong(), 0), TimeUnit.NANOSECONDS);
    }

    private void awake() {
        timer = null;
        long now = clock.getAsLong();
        if (probing && now - sentAt >= probeTimeout.toNanos()) {
            cancel(probe);
            failed(new R2dbcTimeoutException("no answer within " + probeTimeout.toMillis() + " ms"));
        } else if (probing) {
            wakeAt(sentAt + probeTimeout.toNanos());
        } else if (now - dueAt >= 0) {
            probe();
        } else {
            wakeAt(dueAt);
        }
    }

    private void discard() {
        Monitored monitored = connection;
        connection = null;
        if (monitored != null) {
            close(monitored.connection);
        }
    }

    /** Nobody waits for it; what goes wrong in closing a broken connection is of no interest but to a debugger. */
    private void close(Connection broken) {
        Detached.run(broken.close(), error -> LOG.debug("closing a probe of {} failed", server.name(), error));
    }

    private static void cancel(@Nullable Disposable disposable) {
        if (disposable != null) {
            disposable.dispose();
        }
    }

    private record Monitored(
            Connection connection,
            Introduction introduction,
            long openedAt,
            List<Position> ancestors,
            @Nullable Bearing bearing) {}

    private record Answer(Monitored monitored, Observation observation, long sentAt, boolean nudged) {
        Sample sample() {
            return new Sample(
                    monitored.introduction,
                    monitored.openedAt,
                    observation,
                    sentAt,
                    nudged,
                    monitored.ancestors,
                    monitored.bearing);
        }

        Answer found(Bearing bearing) {
            Monitored searched = new Monitored(
                    monitored.connection, monitored.introduction, monitored.openedAt, monitored.ancestors, bearing);
            return new Answer(searched, observation, sentAt, nudged);
        }
    }
}
