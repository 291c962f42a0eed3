package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.internal.table.Questions;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * What is known of the cluster now, and what shall be asked next?
 *
 * <p>Everything happens in tasks that run one at a time, so nothing here is shared: samples come in, the table goes out.
 * Request threads hand writes in and leave questions; at most they run a task that happens to be due.
 */
public final class ClusterMonitor implements ServerSampler.Audience, Questions, Floors {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterMonitor.class);

    /** So long after the last reader found its replica behind, replicas that are behind are watched closely. */
    private static final Duration QUESTION_LASTS = Duration.ofSeconds(1);

    /** So long after the last write a replica that lacks it is looked at more often than at rest. */
    private static final Duration CATCHING_UP = Duration.ofSeconds(1);

    private static final Duration UNWATCHED_PACE = Duration.ofMillis(50);

    /** Readers note their questions no more often than this, so that many do not fight over one cache line. */
    private static final Duration QUESTION_GRAIN = Duration.ofMillis(10);

    /** Sessions that want a position of the same replica within this time share one probe. */
    private static final Duration FLOOR_TICK = Duration.ofMillis(1);

    /** Requests that fail together make the servers be probed once in this time. */
    private static final Duration SURPRISE_GRAIN = Duration.ofMillis(20);

    /** Two answers that are closer together show nothing of whether a replica moves. */
    private static final Duration STANDSTILL = Duration.ofMillis(1);

    /** Of the time for which an awaited replica has stood still, the pause between two probes is this part, */
    private static final int STANDSTILL_SHARE = 100;

    /** and not more than this. */
    private static final Duration STANDSTILL_PACE = Duration.ofMillis(10);

    private static final Duration HISTORY_SPACING = Duration.ofMillis(20);

    /** So old the primary's position in the table may become. */
    private static final Duration REPUBLISH = Duration.ofMillis(50);

    /** A writer whose connection was lost is waited for until its backend has gone, but no longer than this. */
    private static final Duration ORPHAN_LIMIT = Duration.ofSeconds(30);

    /** Added to within the monitor's tasks; any thread asks one how long its probes take. */
    private final List<ServerSampler> samplers = new CopyOnWriteArrayList<>();

    private final List<ServerReport> reports = new ArrayList<>();
    private final MonitorSettings settings;
    private final Serial serial = new Serial();
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final Consumer<RoutingEvent> events;
    private final TableRef tables;
    private final ClusterReducer reducer;
    private final PositionHistory history;
    private final List<CatchUp> catchUps = new ArrayList<>();
    private final List<@Nullable Position> caughtUpTo = new ArrayList<>();
    private final Engine engine;
    private final HistoryMarking marking;
    private boolean running;
    private final CaptureLoop captures;
    private final HistoryEnd end;
    private final ReplicaFloors floors = new ReplicaFloors(new FloorServers());
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();

    private long publishedAt;

    /** When somebody began to wait for a replica while nobody else did. */
    private long awaitedAt;

    /** When the history that is followed was first followed; {@code null} if no other one ever was. */
    private volatile @Nullable Long partedAt;
    /** A table with another history can be seen, and not yet since when: until then all that was asked was asked before. */
    private volatile boolean parting;

    private final AtomicLong configuration = new AtomicLong();
    private volatile long questionedAt;
    private volatile long ageAskedAt;
    private volatile Duration ageAsked = Duration.ZERO;
    private volatile long surprisedAt;

    /**
     * Creates a monitor that does nothing yet.
     *
     * @param servers the servers that there are at first, each at its own index
     * @param engine how to ask them
     * @param settings how closely to watch
     * @param safeguards the mechanisms in force
     * @param scheduler where the monitor's timers go off; disposed with it
     * @param clock tells elapsed time in nanoseconds
     * @param events hears of what changes; must be quick
     */
    public ClusterMonitor(
            List<MonitoredServer> servers,
            Engine engine,
            MonitorSettings settings,
            Safeguards safeguards,
            Scheduler scheduler,
            LongSupplier clock,
            Consumer<RoutingEvent> events) {
        this.settings = settings;
        this.scheduler = scheduler;
        this.clock = clock;
        this.events = events;
        this.tables = new TableRef(this);
        this.reducer = new ClusterReducer(settings.failuresUntilDown(), safeguards);
        this.marking = new HistoryMarking(
                serial,
                scheduler,
                clock,
                settings.probeTimeout(),
                safeguards.has(Safeguard.BRANCH_MARKS),
                new MarkedPrimary());
        this.history = new PositionHistory(settings.farBehind(), HISTORY_SPACING);
        this.surprisedAt = clock.getAsLong() - SURPRISE_GRAIN.toNanos() - 1;
        this.questionedAt = clock.getAsLong() - QUESTION_LASTS.toNanos();
        this.captures = new CaptureLoop(
                serial, scheduler, clock, safeguards.has(Safeguard.NUDGE), this::probePrimary, this::partedSince);
        this.end = new HistoryEnd(serial, scheduler, clock, settings.probeTimeout(), this::primaryEnd, position -> {
            LOG.debug("a token holds {}, which the primary has not come to", position);
            events.accept(new RoutingEvent.TokenRejected(position.text()));
        });
        this.engine = engine;
        servers.forEach(this::include);
        this.ageAskedAt = questionedAt;
    }

    /** Starts watching. Any thread; only the first call has an effect. */
    public void start() {
        if (started.compareAndSet(false, true)) {
            serial.execute(() -> {
                running = true;
                samplers.forEach(sampler -> sampler.probeNow(false));
            });
        }
    }

    /** How the servers are changed. Used within a task of the monitor only, while {@link #reconfigure} runs it. */
    public interface Reconfiguration {

        /**
         * Adds a server.
         *
         * @param server the server, at the next index
         */
        void add(MonitoredServer server);

        /**
         * Gives a server other settings, or marks it as removed: then it is not asked any more, and its index stays
         * empty.
         *
         * @param server what is at its index from now on
         */
        void replace(MonitoredServer server);
    }

    /**
     * Changes which servers there are. Any thread; returns at once.
     *
     * @param change called once within the monitor's task, one at a time: must be quick. What it changes is in the next
     *     table
     * @return whether anything has changed, once the table that has it is published, if there is one yet; already under way, whoever
     *     subscribes. An error if the change fails, or completes empty once the monitor is closed. The signal comes on
     *     another thread than the monitor's
     */
    public Mono<Boolean> reconfigure(Consumer<Reconfiguration> change) {
        Sinks.One<Boolean> done = Sinks.one();
        serial.execute(() -> {
            if (closed.get()) {
                done.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
                return;
            }
            ServerChanges changes = new ServerChanges();
            try {
                change.accept(changes);
            } catch (RuntimeException refused) {
                done.emitError(refused, Sinks.EmitFailureHandler.FAIL_FAST);
                return;
            } finally {
                // before the first use there is no table yet
                if (changes.any && running) {
                    publish();
                    reports.forEach(floors::heardOf);
                }
            }
            done.emitValue(changes.any, Sinks.EmitFailureHandler.FAIL_FAST);
        });
        return done.asMono().publishOn(Schedulers.parallel());
    }

    private final class ServerChanges implements Reconfiguration {

        private boolean any;

        @Override
        public void add(MonitoredServer server) {
            include(server);
            any = true;
            if (running) {
                samplers.get(server.index()).probeNow(false);
            }
        }

        @Override
        public void replace(MonitoredServer server) {
            int index = server.index();
            if (server.is(MonitoredServer.Service.REMOVED)) {
                samplers.get(index).close();
                reports.set(index, ServerReport.none(server));
            } else {
                reports.set(index, reports.get(index).with(server));
            }
            any = true;
        }
    }

    private void include(MonitoredServer server) {
        if (server.index() != samplers.size()) {
            throw new IllegalArgumentException("server '" + server.name() + "' does not come next");
        }
        samplers.add(new ServerSampler(
                server, engine, settings.probeTimeout(), serial, scheduler, clock, settings.chance(), this));
        reports.add(ServerReport.none(server));
        catchUps.add(new CatchUp());
        caughtUpTo.add(null);
    }

    /**
     * Asks the primary something on the monitor's own connection, or while there is none any replica.
     *
     * @param <T> what is answered
     * @param question what is asked on the connection, which must not be kept; it has as long as a probe
     * @return the answer; empty if no server can be asked, an error if the question fails
     */
    public <T> Mono<T> ask(Function<? super Connection, Mono<T>> question) {
        return Mono.<ServerSampler>create(sink -> serial.execute(() -> {
                    int asked = followed(tables.current());
                    for (ServerState server : tables.current().servers()) {
                        boolean answers = server.role() == ServerRole.REPLICA
                                && (server.status() == ServerStatus.UP || server.status() == ServerStatus.DISABLED);
                        asked = asked < 0 && answers ? server.index() : asked;
                    }
                    if (asked < 0) {
                        sink.success();
                    } else {
                        sink.success(samplers.get(asked));
                    }
                }))
                .flatMap(sampler -> sampler.ask(question))
                .timeout(settings.probeTimeout(), scheduler);
    }

    /**
     * Looks up the database's functions as soon as there is a primary, and from time to time. Any thread; once.
     *
     * @param period how long after one look-up the next one is made
     */
    public void learnFunctionsEvery(Duration period) {
        CatalogueRefresh refresh = new CatalogueRefresh(period, settings.probeTimeout(), serial, scheduler, () -> {
            int followed = followed(tables.current());
            return followed < 0 ? null : samplers.get(followed);
        });
        serial.execute(refresh::refresh);
    }

    /**
     * Returns where the table is published. Any thread.
     *
     * @return the reference
     */
    public TableRef tables() {
        return tables;
    }

    /**
     * Returns the time by which this monitor measures. Any thread.
     *
     * @return nanoseconds since an arbitrary moment
     */
    @Override
    public long now() {
        return clock.getAsLong();
    }

    /**
     * Returns which reading of its configuration the primary is at: what a connection said of its settings when it was
     * opened holds until this changes. Any thread.
     *
     * @return a number that grows whenever the configuration may have been read again
     */
    public long configuration() {
        return configuration.get();
    }

    /**
     * Hands in a write that has ended, to be given a position. Any thread; returns at once.
     *
     * @param write the write
     */
    public void ended(EndedWrite write) {
        captures.handIn(write);
    }

    /** Finds the position of what a session has seen. Any thread; returns at once. */
    @Override
    public void find(SightedFloor floor) {
        serial.execute(() -> floors.find(floor));
    }

    /**
     * Returns how the capture of positions goes. Any thread.
     *
     * @return a snapshot
     */
    public CaptureStatistics captureStatistics() {
        return captures.statistics(tables.current());
    }

    /**
     * Returns how long the latest answered probe of a server took. Any thread.
     *
     * @param server its index
     * @return the time from its sending to its answer; {@code null} if none was answered yet
     */
    public @Nullable Duration probeTime(int server) {
        return server < samplers.size() ? samplers.get(server).probeTime() : null;
    }

    @Override
    public void positionWanted(Unplaced write, int primary, @Nullable Position basis, long sentAt) {
        // who answered for it, and whether that waited for the disk, is not known here
        captures.handIn(new EndedWrite(write, primary, basis, false, sentAt, clock.getAsLong()));
    }

    /** Somebody waits for the position of a write. Any thread; returns at once. */
    @Override
    public void positionAwaited() {
        captures.awaited();
    }

    /**
     * Hands in a write whose connection was lost before its outcome was known: it is given a position once the server
     * has ended that connection. Any thread; returns at once.
     *
     * @param write the write, with the time at which its connection was found lost
     * @param backend what the server called the connection
     */
    public void orphaned(EndedWrite write, String backend) {
        serial.execute(() -> adopt(write, backend, clock.getAsLong()));
    }

    @Override
    public void replicaBehind() {
        captures.awaited();
        long now = clock.getAsLong();
        long since = now - questionedAt;
        if (since > QUESTION_GRAIN.toNanos()) {
            questionedAt = now;
            if (since > QUESTION_LASTS.toNanos()) {
                serial.execute(() -> samplers.forEach(ServerSampler::hurry));
            }
        }
    }

    @Override
    public void olderThan(Duration bound) {
        long now = clock.getAsLong();
        boolean first = now - ageAskedAt > QUESTION_LASTS.toNanos();
        if (first || bound.compareTo(ageAsked) < 0) {
            ageAsked = bound;
        }
        if (first || now - ageAskedAt > QUESTION_GRAIN.toNanos()) {
            ageAskedAt = now;
            serial.execute(() -> samplers.forEach(ServerSampler::hurry));
        }
    }

    @Override
    public void replicaAwaited() {
        serial.execute(() -> {
            awaitedAt = clock.getAsLong();
            samplers.forEach(ServerSampler::hurry);
        });
    }

    /** For requests and for sessions alike. */
    @Override
    public boolean partedSince(long time) {
        if (parting) {
            return true;
        }
        Long parted = partedAt;
        return parted != null && time - parted < 0;
    }

    @Override
    public void surprisedBy(int server) {
        long now = clock.getAsLong();
        serial.execute(() -> samplers.get(server).probeSoon());
        // a role that changes, or a server that is gone, seldom comes alone: but not for each of many requests
        if (now - surprisedAt > SURPRISE_GRAIN.toNanos()) {
            surprisedAt = now;
            serial.execute(() -> samplers.stream()
                    .filter(sampler -> sampler != samplers.get(server))
                    .forEach(sampler -> sampler.probeSoon()));
        }
    }

    @Override
    public Mono<List<Position>> beyondTheEnd(List<Position> positions) {
        return end.beyond(positions);
    }

    /**
     * Returns how many positions were rejected since the primary had not come to them. Any thread.
     *
     * @return the number, counting a position for each read that required it
     */
    public long rejectedPositions() {
        return end.rejections();
    }

    /**
     * Returns how often the primary was asked for the end of its history. Any thread.
     *
     * @return the number of probes
     */
    public long endProbes() {
        return end.probes();
    }

    /** Nothing, if another server has become the primary meanwhile. */
    private Mono<Position> primaryEnd() {
        int asked = followed(tables.current());
        return asked < 0
                ? Mono.empty()
                : samplers.get(asked).end().filter(answer -> asked == followed(tables.current()));
    }

    @Override
    public void positionsLost(int positions) {
        serial.execute(() -> tellLost(positions));
    }

    private void tellLost(int positions) {
        captures.positionsLost(positions);
        for (int i = 0; i < positions; i++) {
            events.accept(new RoutingEvent.WritePossiblyLost(null));
        }
    }

    @Override
    public void replicasUnwatched() {
        serial.execute(() -> {
            for (int i = 0; i < samplers.size(); i++) {
                if (i != followed(tables.current())) {
                    samplers.get(i).probeNow(false);
                }
            }
        });
    }

    /**
     * Stops watching and gives the monitor's connections back. Any thread; later calls have no effect.
     *
     * @return completes when no further probe will be sent
     */
    public Mono<Void> close() {
        Mono<Void> stopped = Mono.create(sink -> serial.execute(() -> {
            samplers.forEach(ServerSampler::close);
            end.close();
            marking.close();
            tables.close();
            scheduler.dispose();
            sink.success();
        }));
        return Mono.defer(() -> closed.compareAndSet(false, true) ? stopped : Mono.empty());
    }

    @Override
    public void answered(MonitoredServer server, Sample answer) {
        int index = server.index();
        Sample sample = marking.marks().placed(answer);
        Sample before = reports.get(index).sample();
        reports.set(index, reports.get(index).answered(sample));
        if (before != null && before.openedAt() != sample.openedAt()) {
            floors.ended(before);
        }
        noticeConfiguration(server, before, sample);
        remember(server, sample);
        floors.heardOf(reports.get(index));
        if (!onlyMovedOn(before, sample) || ageMatters() || clock.getAsLong() - publishedAt > REPUBLISH.toNanos()) {
            publish();
        }
        marking.answered(sample);
        Position position = sample.observation().position();
        boolean apart = before == null || sample.sentAt() - before.sentAt() >= STANDSTILL.toNanos();
        if (sample.observation().role() == ServerRole.REPLICA && apart) {
            Position until = before == null ? null : before.observation().position();
            captures.nudgeIfStalled(until, position);
            nudgeIfIdle(until, position);
        } else if (index == followed(tables.current()) && position != null) {
            settleWrites(index, sample, position);
        }
    }

    @Override
    public void failed(MonitoredServer server, Throwable error) {
        int index = server.index();
        if (index == followed(tables.current())) {
            captures.primaryFailed();
        }
        reports.set(index, reports.get(index).failed(Problems.describe(error)));
        floors.heardOf(reports.get(index));
        publish();
    }

    @Override
    public Duration pace(MonitoredServer server) {
        ServerReport report = reports.get(server.index());
        Sample sample = report.sample();
        if (sample != null && sample.observation().role() == ServerRole.REPLICA && tables.awaited()) {
            return watching(report);
        }
        if (sample != null && marking.awaits(sample)) {
            return shorter(settings.watched(), settings.atRest());
        }
        if (ageMatters() && server.index() == followed(tables.current())) {
            return shorter(longer(ageAsked.dividedBy(4), settings.watched()), settings.atRest());
        }
        boolean behind = sample != null
                && sample.observation().role() == ServerRole.REPLICA
                && captures.missedBy(sample.observation().position(), CATCHING_UP);
        if (!behind) {
            return settings.atRest();
        }
        Duration pace = questioned() ? settings.watched() : UNWATCHED_PACE;
        return shorter(pace, settings.atRest());
    }

    /**
     * How closely to watch a replica that somebody waits for. One that stands still meanwhile, as it does while its
     * replay is paused, is asked less and less often: nobody who has waited for a second notices 10 ms.
     */
    private Duration watching(ServerReport report) {
        long since = report.movedAt() - awaitedAt > 0 ? report.movedAt() : awaitedAt;
        Duration share = Duration.ofNanos(clock.getAsLong() - since).dividedBy(STANDSTILL_SHARE);
        return longer(settings.watched(), shorter(share, STANDSTILL_PACE));
    }

    /**
     * Whether a sample says nothing but that the primary has written on. While writes are captured there is one every
     * millisecond, and no decision depends on it.
     */
    private static boolean onlyMovedOn(@Nullable Sample before, Sample sample) {
        return before != null
                && before.openedAt() == sample.openedAt()
                && before.observation().role() == ServerRole.PRIMARY
                && sample.observation().role() == ServerRole.PRIMARY;
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    /** Whether a reader found no replica fresh enough for its bound in the last moments. */
    private boolean ageMatters() {
        return clock.getAsLong() - ageAskedAt < QUESTION_LASTS.toNanos();
    }

    /**
     * An idle primary is not lag. But its flush position may end inside a record that nobody finishes: no replica gets
     * there, so all would grow older for nothing.
     */
    private void nudgeIfIdle(@Nullable Position before, @Nullable Position now) {
        Position newest = history.newest();
        if (newest != null && ageMatters()) {
            captures.nudgeIfIdle(newest, clock.getAsLong() - history.movedAt(), before, now);
        }
    }

    /** Replicas are measured against the primary that is followed; what makes a server that is for {@link #publish}. */
    private void remember(MonitoredServer server, Sample sample) {
        Position position = sample.observation().position();
        if (server.index() == followed(tables.current())
                && sample.observation().role() == ServerRole.PRIMARY
                && position != null) {
            history.add(sample.sentAt(), position);
            end.reached(position);
        } else if (sample.observation().role() == ServerRole.REPLICA && position != null) {
            // what lies on no branch that is followed shows nothing of how quick the replica is
            Position onLine = tables.current().onLine(position);
            if (onLine == null) {
                return;
            }
            Position newest = history.newest();
            long lackingSince = history.lackingSince(onLine);
            boolean news = newest != null && !newest.equals(caughtUpTo.get(server.index()));
            catchUps.get(server.index()).sampled(sample.sentAt(), lackingSince, news);
            if (lackingSince == Lag.NEVER) {
                caughtUpTo.set(server.index(), newest);
            }
        }
    }

    /** Whether a reader wanted to know more in the last moments. */
    private boolean questioned() {
        return clock.getAsLong() - questionedAt < QUESTION_LASTS.toNanos();
    }

    private boolean probePrimary(boolean nudge) {
        int primary = followed(tables.current());
        if (primary >= 0) {
            samplers.get(primary).probeNow(nudge);
        }
        return primary >= 0;
    }

    private void settleWrites(int server, Sample sample, Position position) {
        PositionCapture.Outcome outcome = captures.answered(server, sample, position);
        for (int lostAt : outcome.possiblyLost()) {
            String name = lostAt == EndedWrite.ANY_SERVER
                    ? null
                    : reports.get(lostAt).server().name();
            events.accept(new RoutingEvent.WritePossiblyLost(name));
        }
        if (outcome.settled() > 0 || sample.nudged()) {
            samplers.forEach(ServerSampler::hurry);
        }
    }

    /** Readings on one connection are compared; a new connection reads at another time, so it always counts as new. */
    private void noticeConfiguration(MonitoredServer server, @Nullable Sample before, Sample sample) {
        boolean sameConnection = before != null && before.openedAt() == sample.openedAt();
        boolean sameReading = before != null
                && Objects.equals(
                        before.observation().configuration(),
                        sample.observation().configuration());
        boolean first = configuration.get() == 0;
        if (sample.observation().role() == ServerRole.PRIMARY && !(sameConnection && sameReading)) {
            configuration.incrementAndGet();
            if (!first) {
                captures.forgetDurability();
            }
            LOG.debug("{} may have read its configuration again", server.name());
        }
    }

    private void adopt(EndedWrite write, String backend, long since) {
        long now = clock.getAsLong();
        int primary = followed(tables.current());
        // what it may still commit on a server that is not followed any more is of another history
        boolean leftBehind = primary >= 0 && primary != write.server();
        if (leftBehind || now - since > ORPHAN_LIMIT.toNanos()) {
            ended(withEnd(write, now));
            return;
        }
        Mono<Boolean> gone = samplers.get(write.server()).backendGone(backend);
        Mono<Void> answer = gone.timeout(settings.probeTimeout(), scheduler)
                .onErrorReturn(false)
                .defaultIfEmpty(false)
                .doOnNext(itIs -> {
                    if (itIs) {
                        ended(withEnd(write, clock.getAsLong()));
                    } else {
                        later(() -> adopt(write, backend, since), settings.atRest());
                    }
                })
                .then();
        Detached.run(answer, error -> LOG.warn("the writer of a lost connection could not be looked for", error));
    }

    private static EndedWrite withEnd(EndedWrite write, long endedAt) {
        return new EndedWrite(write.write(), write.server(), write.basis(), write.durable(), write.sentAt(), endedAt);
    }

    private void publish() {
        RoutingTable before = tables.current();
        long now = clock.getAsLong();
        RoutingTable table = reduce(before);
        ServerState primary = table.primary().orElse(null);
        Position position = primary == null ? null : primary.position();
        if (primary != null && position != null && primary.index() != followed(before)) {
            // what the history before it says still holds up to where its branch began
            history.rebase(table::onLine);
            history.add(primary.sampledAt(), position);
            table = reduce(before);
        }
        publishedAt = now;
        marking.follows(table);
        boolean parts = ClusterReducer.parts(before, table.lineage(), table.followed());
        parting = parts;
        tables.publish(table);
        if (parts) {
            // whoever asks from here on has seen the table
            partedAt = clock.getAsLong();
            parting = false;
            // what they said before says nothing of where they go from here
            serial.execute(() -> samplers.forEach(ServerSampler::probeSoon));
        }
        TableChanges.between(before, table, event -> {
            LOG.info("{}", event);
            events.accept(event);
        });
    }

    private RoutingTable reduce(RoutingTable before) {
        RoutingTable table = reducer.reduce(
                reports,
                before,
                position -> history.within(position, settings.farBehind()),
                marking.marks(),
                this::partedSince);
        return table.withLags(this::lag);
    }

    @Override
    public BranchMarks marks() {
        return marking.marks();
    }

    private Lag lag(ServerState server) {
        Position position = server.position();
        return server.role() == ServerRole.REPLICA && position != null
                ? new Lag(
                        history.freshAt(position), catchUps.get(server.index()).estimate())
                : Lag.UNKNOWN;
    }

    private static int followed(RoutingTable table) {
        return table.primary().map(ServerState::index).orElse(-1);
    }

    private void later(Runnable task, Duration delay) {
        if (!scheduler.isDisposed()) {
            scheduler.schedule(() -> serial.execute(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private final class MarkedPrimary implements HistoryMarking.Primary {

        @Override
        public Mono<HistoryMark> mark(int server, long branch) {
            String name = reports.get(server).server().name();
            return samplers.get(server).mark(branch).doOnSuccess(mark -> {
                if (mark == null) {
                    LOG.warn(
                            "{} cannot be marked: replicas of a server that is promoted beside it cannot be told",
                            name);
                }
            });
        }

        @Override
        public void marksChanged() {
            publish();
            samplers.forEach(ServerSampler::hurry);
        }
    }

    private final class FloorServers implements ReplicaFloors.Servers {

        private final BitSet due = new BitSet();

        @Override
        public List<ServerReport> reports() {
            return reports;
        }

        @Override
        public void probeSoon(int server) {
            if (!due.get(server)) {
                due.set(server);
                later(
                        () -> {
                            due.clear(server);
                            samplers.get(server).probeNow(false);
                        },
                        FLOOR_TICK);
            }
        }

        @Override
        public boolean ofRival(Sample sample) {
            RoutingTable table = tables.current();
            Lineage line = table.lineage();
            return line != null
                    && table.followed() >= 0
                    && sample.is(ServerRole.PRIMARY)
                    && sample.observation().branch() <= line.branch()
                    && !sample.introduction()
                            .identity()
                            .equals(table.servers().get(table.followed()).identity());
        }

        /**
         * Flushed before a replica had it, so it needs no nudge. What was seen of a rival is part of another history.
         */
        @Override
        public void askPrimary(SightedFloor floor, boolean ofRival) {
            if (ofRival) {
                tellLost(1);
                floor.lost();
            }
            captures.handIn(new EndedWrite(
                    floor,
                    EndedWrite.ANY_SERVER,
                    null,
                    floor.replica() != null,
                    ofRival ? clock.getAsLong() : floor.askedAt(),
                    clock.getAsLong()));
            captures.awaited();
        }
    }
}
