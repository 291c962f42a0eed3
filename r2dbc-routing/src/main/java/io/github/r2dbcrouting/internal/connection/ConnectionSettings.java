package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.IsolationLevel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Which settings has a borrower made on its connection, to be made on every server's connection that it comes to hold?
 *
 * <p>The lease takes them back before the connection is lent to somebody else.
 */
final class ConnectionSettings {

    private final List<Setting> settings = new CopyOnWriteArrayList<>();
    private volatile @Nullable IsolationLevel isolation;

    /** One setting, made again on each lease. */
    @FunctionalInterface
    interface Setting {
        Mono<Void> apply(Lease lease);
    }

    void add(Setting setting) {
        settings.add(setting);
    }

    Setting isolation(IsolationLevel level) {
        return lease -> Mono.defer(() -> {
            lease.rememberIsolation();
            return Mono.from(lease.connection().setTransactionIsolationLevel(level));
        });
    }

    Setting lockWaitTimeout(Duration timeout) {
        return lease -> Mono.defer(() -> {
            lease.markTimeoutsChanged();
            return Mono.from(lease.connection().setLockWaitTimeout(timeout));
        });
    }

    Setting statementTimeout(Duration timeout) {
        return lease -> Mono.defer(() -> {
            lease.markTimeoutsChanged();
            return Mono.from(lease.connection().setStatementTimeout(timeout));
        });
    }

    void isolationIs(IsolationLevel level) {
        isolation = level;
    }

    IsolationLevel isolation() {
        IsolationLevel level = isolation;
        return level == null ? IsolationLevel.READ_COMMITTED : level;
    }

    /** A hot standby refuses serializable transactions. */
    boolean allowReplica() {
        return isolation() != IsolationLevel.SERIALIZABLE;
    }

    /** Makes every setting on a lease that was just taken; gives it back if that fails or is cancelled. */
    Mono<Lease> replay(Lease lease) {
        if (settings.isEmpty()) {
            return Mono.just(lease);
        }
        return Flux.fromIterable(settings)
                .concatMap(setting -> setting.apply(lease))
                .then(Mono.just(lease))
                .onErrorResume(error -> lease.discard().then(Mono.error(error)))
                .doOnCancel(lease::releaseDetached);
    }
}
