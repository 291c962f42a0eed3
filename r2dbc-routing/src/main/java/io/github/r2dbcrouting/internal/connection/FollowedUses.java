package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.github.r2dbcrouting.spi.ConnectionObserver.Use;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.util.context.ContextView;

/** Which statements and transactions of one connection are followed, and not over? Thread-safe. */
final class FollowedUses {

    private static final Logger LOG = LoggerFactory.getLogger(FollowedUses.class);

    private final ConnectionObserver observer;
    private final Set<FollowedUse> open = ConcurrentHashMap.newKeySet();

    FollowedUses(ConnectionObserver observer) {
        this.observer = observer;
    }

    /** Returns who follows what begins now; {@code null} if nobody does. */
    @Nullable
    FollowedUse begins(Scope scope, ContextView context) {
        Use use;
        try {
            use = observer.begins(scope, context);
        } catch (RuntimeException failure) {
            LOG.warn("a connection observer failed; the request goes on", failure);
            return null;
        }
        if (use == null) {
            return null;
        }
        FollowedUse followed = new FollowedUse(use, this, scope == Scope.TRANSACTION ? End.ROLLED_BACK : End.CANCELLED);
        open.add(followed);
        return followed;
    }

    void over(FollowedUse use) {
        open.remove(use);
    }

    /** The connection is closed: whatever has not ended by itself ends here. */
    void close() {
        open.forEach(FollowedUse::left);
    }
}
