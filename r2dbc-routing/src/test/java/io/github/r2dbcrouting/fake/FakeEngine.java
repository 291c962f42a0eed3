package io.github.r2dbcrouting.fake;

import io.github.r2dbcrouting.postgresql.PostgresEngine;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** Asks fake servers, and remembers what it was made to ask. */
public final class FakeEngine implements Engine {

    /** What was asked. */
    public enum Kind {
        INTRODUCE,
        OBSERVE,
        NUDGE,
        END,
        MARK,
        SEARCH,
        BACKEND_GONE
    }

    /**
     * One question to one server.
     *
     * @param at when it was sent, in nanoseconds
     */
    public record Question(String server, Kind kind, long at) {}

    /** How often a connection was drained, and how that ends. */
    public final AtomicInteger drains = new AtomicInteger();

    public volatile Mono<Void> draining = Mono.empty();

    /** How long every question takes. */
    public volatile Duration latency = Duration.ZERO;

    /** What observing fails with; {@code null} if it does not. */
    public volatile RuntimeException failing;

    /** Whether backends that are asked about have ended. */
    public volatile boolean backendsGone;

    /** Whether histories can be marked. */
    public volatile boolean marks;

    /** Whether servers have forgotten the time of the marks. */
    public volatile boolean marksForgotten;

    private final AtomicInteger marksWritten = new AtomicInteger();

    /** How often the functions were looked up, and how that ends. */
    public final AtomicInteger lookUps = new AtomicInteger();

    public volatile Mono<Void> looking = Mono.empty();

    /** What introductions wait for. */
    public volatile Mono<Void> introducing = Mono.empty();

    private final Scheduler time;
    private final PostgresEngine texts = new PostgresEngine();
    private final List<Question> questions = new CopyOnWriteArrayList<>();

    public FakeEngine(Scheduler time) {
        this.time = time;
    }

    /** The times at which a server was asked something, in nanoseconds. */
    public List<Long> times(FakeServer server, Kind kind) {
        return questions.stream()
                .filter(question -> question.server().equals(server.name()) && question.kind() == kind)
                .map(Question::at)
                .toList();
    }

    public int count(FakeServer server, Kind kind) {
        return times(server, kind).size();
    }

    public List<Question> questions() {
        return questions;
    }

    public void forget() {
        questions.clear();
    }

    private <T> Mono<T> ask(Connection connection, Kind kind, java.util.function.Function<FakeServer, T> answer) {
        FakeServer server = ((FakeConnection) connection).server();
        return Mono.defer(() -> {
            questions.add(new Question(server.name(), kind, time.now(TimeUnit.NANOSECONDS)));
            Mono<T> answered = Mono.fromSupplier(() -> answer.apply(server));
            return latency.isZero() ? answered : answered.delaySubscription(latency, time);
        });
    }

    @Override
    public String productName() {
        return texts.productName();
    }

    @Override
    public Mono<Introduction> introduce(Connection connection) {
        return introducing.then(ask(connection, Kind.INTRODUCE, FakeServer::introduction));
    }

    @Override
    public Mono<Observation> observe(Connection connection, Introduction introduction) {
        return ask(connection, Kind.OBSERVE, this::observed);
    }

    @Override
    public Mono<Observation> nudgeAndObserve(Connection connection, Introduction introduction) {
        return ask(connection, Kind.NUDGE, server -> {
            long mark = server.written + 0x40;
            server.written = mark;
            server.position = mark;
            return observed(server);
        });
    }

    private Observation observed(FakeServer server) {
        if (failing != null) {
            throw failing;
        }
        return server.observation();
    }

    @Override
    public Mono<HistoryMark> mark(Connection connection, Introduction introduction) {
        return marks
                ? ask(connection, Kind.MARK, server -> {
                    String signature = server.name() + ' ' + marksWritten.incrementAndGet();
                    server.marks.add(signature);
                    server.advance(0x40);
                    return new HistoryMark(server.at(), signature);
                })
                : Mono.empty();
    }

    @Override
    public Mono<Boolean> bears(Connection connection, HistoryMark mark) {
        return ask(connection, Kind.SEARCH, server -> server.marks.contains(mark.signature()))
                .filter(answer -> !marksForgotten);
    }

    @Override
    public Mono<Position> end(Connection connection, Introduction introduction) {
        return ask(connection, Kind.END, FakeServer::at);
    }

    @Override
    public Mono<Boolean> backendGone(Connection connection, String backend) {
        return ask(connection, Kind.BACKEND_GONE, server -> backendsGone);
    }

    @Override
    public Mono<Void> drain(Connection connection) {
        return Mono.defer(() -> {
            drains.incrementAndGet();
            return draining;
        });
    }

    @Override
    public Mono<Void> resetTimeouts(Connection connection) {
        return Mono.empty();
    }

    @Override
    public StatementText read(String sql) {
        return texts.read(sql);
    }

    @Override
    public void learnWrite(String sql) {
        texts.learnWrite(sql);
    }

    @Override
    public Mono<Void> learnFunctions(Connection connection) {
        return Mono.defer(() -> {
            lookUps.incrementAndGet();
            return looking;
        });
    }

    @Override
    public boolean sentAtOnce(StatementText text) {
        return texts.sentAtOnce(text);
    }

    @Override
    public boolean connectionLost(Throwable error) {
        return texts.connectionLost(error);
    }

    @Override
    public boolean needsPrimary(Throwable error) {
        return texts.needsPrimary(error);
    }

    @Override
    public boolean anotherServerMay(Throwable error) {
        return texts.anotherServerMay(error);
    }
}
