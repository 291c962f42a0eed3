package io.github.r2dbcrouting.fake;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/** A connection that executes nothing, and counts how often it was closed. */
public final class FakeConnection implements Connection {

    /** What closing waits for. */
    public volatile Mono<Void> closing = Mono.empty();

    /** What happens while somebody asks whether it is alive. */
    public volatile Runnable validating = () -> {};

    /** What the server's answer to a validation waits for. */
    public volatile Mono<Void> answering = Mono.empty();

    private final FakeServer server;
    private final AtomicInteger closes = new AtomicInteger();
    private volatile boolean autoCommit = true;

    public FakeConnection(FakeServer server) {
        this.server = server;
    }

    public FakeServer server() {
        return server;
    }

    public int closes() {
        return closes.get();
    }

    @Override
    public Publisher<Void> close() {
        return Mono.defer(() -> {
            closes.incrementAndGet();
            return closing;
        });
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        Mono<Void> answered = depth == ValidationDepth.REMOTE ? answering : Mono.empty();
        return answered.then(Mono.fromSupplier(() -> {
            validating.run();
            return closes.get() == 0;
        }));
    }

    @Override
    public boolean isAutoCommit() {
        return autoCommit;
    }

    @Override
    public Publisher<Void> beginTransaction() {
        return Mono.fromRunnable(() -> autoCommit = false);
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        return beginTransaction();
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return Mono.fromRunnable(() -> autoCommit = true);
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return Mono.fromRunnable(() -> autoCommit = true);
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        return IsolationLevel.READ_COMMITTED;
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel isolationLevel) {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean wanted) {
        return Mono.fromRunnable(() -> autoCommit = wanted);
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        return Mono.empty();
    }

    @Override
    public Batch createBatch() {
        throw new UnsupportedOperationException("a fake connection executes nothing");
    }

    @Override
    public Statement createStatement(String sql) {
        return server.executing.apply(sql);
    }

    @Override
    public ConnectionMetadata getMetadata() {
        throw new UnsupportedOperationException("a fake connection knows nothing of its product");
    }
}
