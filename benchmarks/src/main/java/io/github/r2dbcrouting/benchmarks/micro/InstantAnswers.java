package io.github.r2dbcrouting.benchmarks.micro;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What is left of a statement's cost when the server takes no time?
 *
 * <p>Connections are a real server's, so that everything that is asked of them when they are opened is true; but one
 * statement is answered here, at once.
 */
final class InstantAnswers implements ConnectionFactory {

    /** The statement that is answered here. */
    static final String SQL = "SELECT 42";

    private final ConnectionFactory real;

    InstantAnswers(ConnectionFactory real) {
        this.real = real;
    }

    @Override
    public Mono<Connection> create() {
        return Mono.<Connection>from(real.create()).map(Instant::new);
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return real.getMetadata();
    }

    private record Instant(Connection real) implements Connection {

        @Override
        public Statement createStatement(String sql) {
            return sql.equals(SQL) ? Answer.STATEMENT : real.createStatement(sql);
        }

        @Override
        public Publisher<Void> beginTransaction() {
            return real.beginTransaction();
        }

        @Override
        public Publisher<Void> beginTransaction(TransactionDefinition definition) {
            return real.beginTransaction(definition);
        }

        @Override
        public Publisher<Void> close() {
            return real.close();
        }

        @Override
        public Publisher<Void> commitTransaction() {
            return real.commitTransaction();
        }

        @Override
        public Batch createBatch() {
            return real.createBatch();
        }

        @Override
        public Publisher<Void> createSavepoint(String name) {
            return real.createSavepoint(name);
        }

        @Override
        public boolean isAutoCommit() {
            return real.isAutoCommit();
        }

        @Override
        public ConnectionMetadata getMetadata() {
            return real.getMetadata();
        }

        @Override
        public IsolationLevel getTransactionIsolationLevel() {
            return real.getTransactionIsolationLevel();
        }

        @Override
        public Publisher<Void> releaseSavepoint(String name) {
            return real.releaseSavepoint(name);
        }

        @Override
        public Publisher<Void> rollbackTransaction() {
            return real.rollbackTransaction();
        }

        @Override
        public Publisher<Void> rollbackTransactionToSavepoint(String name) {
            return real.rollbackTransactionToSavepoint(name);
        }

        @Override
        public Publisher<Void> setAutoCommit(boolean autoCommit) {
            return real.setAutoCommit(autoCommit);
        }

        @Override
        public Publisher<Void> setLockWaitTimeout(Duration timeout) {
            return real.setLockWaitTimeout(timeout);
        }

        @Override
        public Publisher<Void> setStatementTimeout(Duration timeout) {
            return real.setStatementTimeout(timeout);
        }

        @Override
        public Publisher<Void> setTransactionIsolationLevel(IsolationLevel level) {
            return real.setTransactionIsolationLevel(level);
        }

        @Override
        public Publisher<Boolean> validate(ValidationDepth depth) {
            return depth == ValidationDepth.LOCAL ? Mono.just(true) : real.validate(depth);
        }
    }

    /** A statement without parameters, and its result: one row is said to have been changed. */
    private enum Answer implements Statement, Result {
        STATEMENT;

        @Override
        public Statement add() {
            return this;
        }

        @Override
        public Statement bind(int index, Object value) {
            throw new IndexOutOfBoundsException(index);
        }

        @Override
        public Statement bind(String name, Object value) {
            throw new java.util.NoSuchElementException(name);
        }

        @Override
        public Statement bindNull(int index, Class<?> type) {
            throw new IndexOutOfBoundsException(index);
        }

        @Override
        public Statement bindNull(String name, Class<?> type) {
            throw new java.util.NoSuchElementException(name);
        }

        @Override
        public Mono<Result> execute() {
            return Mono.just(this);
        }

        @Override
        public Mono<Long> getRowsUpdated() {
            return Mono.just(1L);
        }

        @Override
        public <T> Flux<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
            return Flux.empty();
        }

        @Override
        public Result filter(Predicate<Segment> filter) {
            return this;
        }

        @Override
        public <T> Flux<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
            return Flux.empty();
        }
    }
}
