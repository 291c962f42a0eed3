package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.simulation.LogRecord.Appended;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * One connection, from the driver's end to the backend's.
 *
 * <p>What is sent arrives later, in order; it is executed one after the other, and what is answered comes back later, in
 * order. In between the network may carry nothing, the connection may be reset, and the server may crash. What was
 * cancelled is executed all the same.
 */
final class SimulatedConnection implements Connection {

    private static final long WIRE = 60 * Agenda.MICROSECOND;

    final SimulatedServer server;
    final int number;
    final boolean pooled;
    final boolean openedToPrimary;
    private final SimulatedCluster cluster;
    private final Agenda agenda;
    private final Chance chance;
    private final int life;

    // the driver's end
    private final Deque<Exchange> outstanding = new ArrayDeque<>();
    private long sentUntil;
    private long heardUntil;
    private boolean closed;
    private boolean lost;
    private boolean inTransaction;
    private Operation last;

    /** Which operation uses it, and for how many exchanges at this moment. */
    Operation borrower;

    int used;
    private IsolationLevel isolation = IsolationLevel.READ_COMMITTED;

    // the backend's end
    private final Deque<Exchange> received = new ArrayDeque<>();
    private boolean executing;
    private boolean gone;
    private boolean leaves;
    private List<Appended> transaction;
    private boolean failed;
    private boolean readOnly;

    /** What is asked, and who hears of the answer. */
    final class Exchange {
        final Question question;
        final String sql;
        final int[] bound;
        final Operation operation;
        final long sentAt;
        final SimulatedConnection connection = SimulatedConnection.this;
        private final Consumer<Answer> hears;

        /** Whether the router took its server for the primary when it was sent. */
        boolean onPrimary;

        /** What the router knew when it was sent. */
        RoutingTable sentBy;

        private boolean abandoned;
        private boolean over;

        private Exchange(Question question, String sql, int[] bound, Consumer<Answer> hears) {
            this.question = question;
            this.sql = sql;
            this.bound = bound;
            this.hears = hears;
            this.sentAt = agenda.now();
            this.operation = cluster.rules.operationOf(question, bound, last);
            last = operation;
        }

        /** Nobody wants to know. */
        void abandon() {
            if (!abandoned && !over) {
                abandoned = true;
                cluster.rules.abandoned(this);
            }
        }

        boolean abandoned() {
            return abandoned;
        }

        /** The driver has its answer, or has lost the connection: what its server still does of it reaches nobody. */
        boolean over() {
            return over;
        }
    }

    /** What comes back: rows, or an error; the connection may be lost with it. */
    record Answer(List<Object[]> rows, R2dbcException error, boolean connectionLost) {

        static Answer of(Object... row) {
            return new Answer(List.<Object[]>of(row), null, false);
        }

        static Answer nothing() {
            return new Answer(List.of(), null, false);
        }

        static Answer failed(R2dbcException error) {
            return new Answer(List.of(), error, false);
        }

        static Answer lost(String state) {
            return new Answer(
                    List.of(),
                    new R2dbcNonTransientResourceException("the simulated connection was lost", state),
                    true);
        }
    }

    SimulatedConnection(SimulatedServer server, SimulatedCluster cluster, boolean pooled, long seed) {
        this.server = server;
        this.cluster = cluster;
        this.agenda = cluster.agenda;
        this.number = cluster.nextConnection();
        this.chance = Chance.of(seed, 10_000L + number);
        this.pooled = pooled;
        this.openedToPrimary = server.primary;
        this.life = server.life;
    }

    // ---- the driver's end

    Exchange send(Question question, String sql, int[] bound, Consumer<Answer> hears) {
        Exchange exchange = new Exchange(question, sql, bound, hears);
        if (closed || lost) {
            hears.accept(Answer.lost(null));
            return exchange;
        }
        cluster.rules.sent(exchange);
        outstanding.add(exchange);
        sentUntil = Math.max(sentUntil, agenda.now() + chance.latency(WIRE));
        agenda.after(sentUntil - agenda.now(), () -> server.carry(() -> arrived(exchange)));
        return exchange;
    }

    private void heard(Exchange exchange, Answer answer) {
        if (lost || closed) {
            return;
        }
        Exchange first = outstanding.poll();
        if (first != exchange) {
            throw new IllegalStateException("an answer came out of its turn");
        }
        resolve(exchange, answer);
    }

    private void resolve(Exchange exchange, Answer answer) {
        exchange.over = true;
        cluster.rules.over(exchange);
        exchange.hears.accept(answer);
    }

    /** Between the two ends, or at the server's: the driver hears of it. */
    private void driverLoses(String state) {
        if (!lost && !closed) {
            lost = true;
            drop(Answer.lost(state));
        }
    }

    private void drop(Answer answer) {
        for (Exchange left = outstanding.poll(); left != null; left = outstanding.poll()) {
            resolve(left, answer);
        }
    }

    /** The network breaks it; the backend notices only later, and finishes what it is at. */
    void reset() {
        agenda.routerAfter(chance.latency(WIRE), () -> driverLoses(null));
        agenda.after(chance.latency(200 * WIRE), this::leave);
    }

    boolean open() {
        return !closed && !lost;
    }

    @Override
    public Publisher<Void> close() {
        return Mono.fromRunnable(this::hangUp);
    }

    void hangUp() {
        if (!closed) {
            boolean tells = !lost;
            closed = true;
            drop(Answer.lost(null));
            if (tells) {
                sentUntil = Math.max(sentUntil, agenda.now() + chance.latency(WIRE));
                agenda.after(sentUntil - agenda.now(), () -> server.carry(this::leave));
            }
        }
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        return Mono.fromSupplier(this::open);
    }

    private Mono<Void> command(String sql, Runnable before) {
        return Mono.create(sink -> {
            before.run();
            Exchange exchange = send(null, sql, null, answer -> {
                if (answer.error() != null) {
                    sink.error(answer.error());
                } else {
                    sink.success();
                }
            });
            var unused = sink.onCancel(exchange::abandon);
        });
    }

    @Override
    public Publisher<Void> beginTransaction() {
        return command("BEGIN", () -> {});
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        boolean reads = Boolean.TRUE.equals(definition.getAttribute(TransactionDefinition.READ_ONLY));
        return command(reads ? "BEGIN READ ONLY" : "BEGIN", () -> {});
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return command("COMMIT", () -> {});
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return command("ROLLBACK", () -> {});
    }

    @Override
    public boolean isAutoCommit() {
        return !inTransaction;
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean autoCommit) {
        return autoCommit == isAutoCommit() ? Mono.empty() : command(autoCommit ? "COMMIT" : "BEGIN", () -> {});
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        return isolation;
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel level) {
        return command("RESET isolation", () -> isolation = level);
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        return command("RESET timeout", () -> {});
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        return command("RESET timeout", () -> {});
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        throw new UnsupportedOperationException("savepoints are not simulated");
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        throw new UnsupportedOperationException("savepoints are not simulated");
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        throw new UnsupportedOperationException("savepoints are not simulated");
    }

    @Override
    public Batch createBatch() {
        throw new UnsupportedOperationException("batches are not simulated");
    }

    @Override
    public Statement createStatement(String sql) {
        return new SimulatedStatement(this, sql);
    }

    @Override
    public ConnectionMetadata getMetadata() {
        return new ConnectionMetadata() {
            @Override
            public String getDatabaseProductName() {
                return "PostgreSQL";
            }

            @Override
            public String getDatabaseVersion() {
                return "18.0";
            }
        };
    }

    @Override
    public String toString() {
        return "connection " + number + " to " + server;
    }

    // ---- the backend's end

    void serverCrashed(boolean whole) {
        gone = true;
        String state = whole || chance.percent(50) ? null : "57P02";
        long at = Math.max(heardUntil, agenda.now() + chance.latency(WIRE));
        agenda.after(at - agenda.now(), () -> server.carry(() -> hearsOfLoss(state)));
    }

    private void hearsOfLoss(String state) {
        agenda.routerAfter(0, () -> driverLoses(state));
    }

    private void leave() {
        leaves = true;
        if (!executing && !gone) {
            gone = true;
            server.backends.remove(this);
        }
    }

    private void arrived(Exchange exchange) {
        if (gone || server.life != life) {
            // nobody listens on this connection any more
            agenda.after(chance.latency(WIRE), () -> server.carry(() -> hearsOfLoss(null)));
            return;
        }
        received.add(exchange);
        next();
    }

    private void next() {
        Exchange exchange = executing || gone ? null : received.poll();
        if (exchange == null) {
            return;
        }
        executing = true;
        server.later(chance.latency(20 * Agenda.MICROSECOND), () -> execute(exchange));
    }

    private void answer(Exchange exchange, Answer answer) {
        executing = false;
        if (gone) {
            return;
        }
        boolean open = transaction != null;
        heardUntil = Math.max(heardUntil, agenda.now() + chance.latency(WIRE));
        agenda.after(
                heardUntil - agenda.now(),
                () -> server.carry(() -> agenda.routerAfter(0, () -> {
                    if (!lost && !closed) {
                        inTransaction = open;
                    }
                    heard(exchange, answer);
                })));
        if (leaves) {
            leave();
        } else {
            next();
        }
    }

    private static R2dbcException refused(String state, String message) {
        return new io.r2dbc.spi.R2dbcNonTransientException(message, state) {};
    }

    private void execute(Exchange exchange) {
        // a mark is drawn outside of the simulation, and refused whatever it is
        int length = exchange.question == Question.MARK ? 0 : exchange.sql.length();
        agenda.note(length * 31L + server.number);
        if (exchange.question == null) {
            command(exchange);
            return;
        }
        if (failed) {
            answer(exchange, Answer.failed(refused("25P02", "current transaction is aborted")));
            return;
        }
        switch (exchange.question) {
            case APPEND -> append(exchange);
            case READ -> {
                java.util.BitSet seen = server.read(exchange.bound[0]);
                if (transaction != null) {
                    transaction.forEach(own -> {
                        if (own.key() == exchange.bound[0]) {
                            seen.set(own.value());
                        }
                    });
                }
                cluster.rules.read(exchange, seen);
                answer(exchange, Answer.of(seen));
            }
            case NUDGE -> {
                if (!server.primary) {
                    answer(exchange, Answer.failed(refused("55000", "recovery is in progress")));
                } else if (!cluster.settings.nudged()) {
                    answer(exchange, Answer.failed(refused("42501", "permission denied for function")));
                } else {
                    server.nudge(
                            position -> answer(exchange, Answer.of(LogPages.text(position), server.configuration())));
                }
            }
            case MARK -> answer(exchange, Answer.failed(refused("42501", "permission denied for function")));
            default -> answer(exchange, asked(exchange));
        }
    }

    private Answer asked(Exchange exchange) {
        boolean mayTell = cluster.settings.privileged();
        if (!pooled && (exchange.question == Question.INTRODUCE || exchange.question == Question.OBSERVE)) {
            server.observed(exchange.sentAt, mayTell);
        }
        return switch (exchange.question) {
            case INTRODUCE -> Answer.of(introduction());
            case OBSERVE -> Answer.of(observation());
            case OBSERVE_PRIMARY ->
                server.primary
                        ? Answer.of(LogPages.text(server.flushedTo), server.configuration())
                        : Answer.failed(refused("55000", "recovery is in progress"));
            case INSERTED ->
                server.primary
                        ? Answer.of(LogPages.text(server.inserted()), server.configuration())
                        : Answer.failed(refused("55000", "recovery is in progress"));
            case MAY_READ_FILES -> Answer.of(String.valueOf(mayTell));
            case READ_HISTORY -> Answer.of(historyFile());
            case BACKENDS -> {
                String pid = exchange.sql.substring(exchange.sql.lastIndexOf(' ') + 1);
                boolean there = server.backends.stream()
                        .anyMatch(one -> String.valueOf(one.number).equals(pid));
                yield Answer.of(there ? "1" : "0");
            }
            default -> Answer.nothing();
        };
    }

    private Object[] observation() {
        boolean tells = cluster.settings.privileged() && server.streaming;
        boolean primary = server.primary;
        return new Object[] {
            !primary,
            LogPages.text(primary ? server.flushedTo : server.position()),
            primary ? server.timeline : server.receivedTimeline(cluster.settings.privileged()),
            server.configuration(),
            primary || tells,
            primary && server.lastReplayed != null ? LogPages.text(server.lastReplayed) : null,
            primary || server.replayedAll()
        };
    }

    private Object[] introduction() {
        Object[] observed = observation();
        Object[] all = java.util.Arrays.copyOf(observed, 11);
        all[7] = SimulatedCluster.IDENTIFIER;
        all[8] = server.startedAt();
        all[9] = String.valueOf(number);
        all[10] = server.asynchronousCommits ? "off" : "on";
        return all;
    }

    private String historyFile() {
        StringBuilder text = new StringBuilder();
        server.history.forEach(left -> text.append(left.timeline())
                .append('\t')
                .append(LogPages.text(left.position()))
                .append("\tno recovery target specified\n"));
        return text.toString();
    }

    private void append(Exchange exchange) {
        if (!server.primary || readOnly) {
            failed = transaction != null;
            answer(exchange, Answer.failed(refused("25006", "cannot execute INSERT in a read-only transaction")));
            return;
        }
        Appended value = new Appended(exchange.bound[0], exchange.bound[1]);
        cluster.rules.writing(exchange);
        if (transaction != null) {
            transaction.add(value);
            server.writeWithoutCommit();
            answer(exchange, Answer.nothing());
        } else {
            server.commit(List.of(value), () -> answer(exchange, Answer.nothing()));
        }
    }

    private void command(Exchange exchange) {
        String sql = exchange.sql;
        List<Appended> open = transaction;
        if (sql.startsWith("BEGIN")) {
            transaction = new ArrayList<>();
            readOnly = sql.endsWith("ONLY") || !server.primary;
            failed = false;
        } else if (sql.equals("COMMIT") || sql.equals("ROLLBACK")) {
            boolean commits = sql.equals("COMMIT") && !failed && open != null && !open.isEmpty();
            transaction = null;
            failed = false;
            readOnly = false;
            if (commits) {
                cluster.rules.writing(exchange);
                server.commit(List.copyOf(open), () -> answer(exchange, Answer.nothing()));
                return;
            }
        }
        answer(exchange, Answer.nothing());
    }
}
