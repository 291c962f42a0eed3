package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Position;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;

/**
 * One connection to one server, with what it said of itself when it was opened.
 *
 * <p>It lives in a pool, and is lent to one borrower at a time; that borrower, and the pool between two borrowers, are
 * the only ones who touch it.
 */
final class PhysicalConnection implements Connection {

    private final Connection driver;
    private final Mono<Void> closing;
    private final long openedAt;
    private volatile Introduction introduction;
    private volatile @Nullable Position floor;
    private volatile long configuration;

    /**
     * Creates the connection.
     *
     * @param driver the driver's connection
     * @param introduction what it said of itself
     * @param openedAt the time at which it is known to have been open
     * @param configuration the primary's reading of its configuration before the introduction was asked for
     * @param opened the open ones of its pool, which it leaves when it is closed
     */
    PhysicalConnection(
            Connection driver, Introduction introduction, long openedAt, long configuration, OpenConnections opened) {
        this.driver = driver;
        // its pool, its lease and the end of both may come to close it, and nobody stops what one of them began
        this.closing = Mono.<Void>defer(() -> {
                    opened.remove(this);
                    return Mono.from(driver.close());
                })
                .cache();
        this.introduction = introduction;
        this.openedAt = openedAt;
        this.floor = introduction.observation().position();
        this.configuration = configuration;
    }

    Connection driver() {
        return driver;
    }

    Introduction introduction() {
        return introduction;
    }

    long openedAt() {
        return openedAt;
    }

    /** A position that its server has surely reached in the life that this connection belongs to. */
    @Nullable
    Position floor() {
        return floor;
    }

    void raiseFloor(@Nullable Position position) {
        floor = position;
    }

    /** Whether a commit on it waits for the disk, as far as that is known at this reading of the configuration. */
    boolean durableCommits(long currentConfiguration) {
        return introduction.durableCommits() && configuration == currentConfiguration;
    }

    boolean introducedAt(long currentConfiguration) {
        return configuration == currentConfiguration;
    }

    void introducedAgain(Introduction again, long currentConfiguration) {
        introduction = again;
        floor = again.observation().position();
        configuration = currentConfiguration;
    }

    /** A statement may have changed whether its commits wait for the disk: it has to be asked again. */
    void forgetDurability() {
        configuration = -1;
    }

    /** Whether the driver itself knows that nothing can be sent on it any more. */
    boolean defunct() {
        Liveness liveness = new Liveness();
        driver.validate(ValidationDepth.LOCAL).subscribe(liveness);
        return liveness.defunct;
    }

    /** Closes the driver's connection, once; whoever comes later hears of the same end. */
    @Override
    public Publisher<Void> close() {
        return closing;
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        return driver.validate(depth);
    }

    @Override
    public Publisher<Void> beginTransaction() {
        return driver.beginTransaction();
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        return driver.beginTransaction(definition);
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return driver.commitTransaction();
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return driver.rollbackTransaction();
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        return driver.rollbackTransactionToSavepoint(name);
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        return driver.createSavepoint(name);
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        return driver.releaseSavepoint(name);
    }

    @Override
    public Batch createBatch() {
        return driver.createBatch();
    }

    @Override
    public Statement createStatement(String sql) {
        return driver.createStatement(sql);
    }

    @Override
    public boolean isAutoCommit() {
        return driver.isAutoCommit();
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean autoCommit) {
        return driver.setAutoCommit(autoCommit);
    }

    @Override
    public ConnectionMetadata getMetadata() {
        return driver.getMetadata();
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        return driver.getTransactionIsolationLevel();
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel isolationLevel) {
        return driver.setTransactionIsolationLevel(isolationLevel);
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        return driver.setLockWaitTimeout(timeout);
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        return driver.setStatementTimeout(timeout);
    }

    @Override
    public String toString() {
        return "connection to " + introduction.identity();
    }

    /** Local validation answers at once; a driver that does not is taken to be alive, and found out in use. */
    private static final class Liveness extends BaseSubscriber<Boolean> {
        private boolean defunct;

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            requestUnbounded();
        }

        @Override
        protected void hookOnNext(Boolean alive) {
            defunct = !alive;
        }

        @Override
        protected void hookOnError(Throwable error) {
            defunct = true;
        }
    }
}
