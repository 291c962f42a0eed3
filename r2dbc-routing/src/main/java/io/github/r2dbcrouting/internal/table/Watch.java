package io.github.r2dbcrouting.internal.table;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.scheduler.Schedulers;

/**
 * Who waits for a replica, and whom does a new table concern?
 *
 * <p>All waiters share what the monitor finds out anyway: their being here makes it look more often, however many they
 * are. A table in which no server has moved, and which knows no more of the history, wakes nobody. Else all waiters are looked through, once for however many
 * tables came meanwhile, and not on the monitor's thread; those that it may concern are woken in the order in which they
 * came. Thread-safe.
 */
public final class Watch {

    /** Each with its place in the order in which they came. */
    private final Map<Waiter, Long> waiters = new ConcurrentHashMap<>();

    private final AtomicLong came = new AtomicLong();
    private final AtomicInteger size = new AtomicInteger();
    private final AtomicInteger news = new AtomicInteger();
    private final TableRef tables;
    private volatile boolean closed;

    /** Somebody who waits. Compared by identity. */
    public interface Waiter {

        /**
         * Returns whether a table may be what it waits for. Called often: must be quick.
         *
         * @param table the table
         * @return whether it shall be woken
         */
        boolean wants(RoutingTable table);

        /** It has what it wanted, or the router was closed. Called on a thread of Reactor's parallel scheduler. */
        void wake();
    }

    Watch(TableRef tables) {
        this.tables = tables;
    }

    /**
     * Lets somebody wait. Whatever is published from now on is shown to the waiter; it must look at the current table
     * itself, after this call.
     *
     * @param waiter who waits, until {@link #remove}
     * @return whether it may wait: not once the router is closed
     */
    public boolean add(Waiter waiter) {
        if (waiters.putIfAbsent(waiter, came.incrementAndGet()) == null && size.getAndIncrement() == 0) {
            tables.questions().replicaAwaited();
        }
        return !closed;
    }

    /**
     * Forgets a waiter.
     *
     * @param waiter who waits no longer; nothing happens if it did not
     */
    public void remove(Waiter waiter) {
        if (waiters.remove(waiter) != null) {
            size.decrementAndGet();
        }
    }

    /**
     * Returns how many wait.
     *
     * @return their number at this moment
     */
    public int size() {
        return size.get();
    }

    /**
     * Returns whether the router was closed.
     *
     * @return whether nobody need wait any longer
     */
    public boolean closed() {
        return closed;
    }

    /** Called by the monitor, after the new table can be seen. */
    void published(RoutingTable before, RoutingTable now) {
        if (size.get() > 0 && moved(before, now)) {
            lookThrough();
        }
    }

    void close() {
        closed = true;
        lookThrough();
    }

    private void lookThrough() {
        if (news.getAndIncrement() == 0) {
            Schedulers.parallel().schedule(this::wakeWhoWants);
        }
    }

    private void wakeWhoWants() {
        int seen = news.get();
        RoutingTable table = tables.current();
        waiters.entrySet().stream()
                .filter(waiting -> closed || waiting.getKey().wants(table))
                .sorted(Map.Entry.comparingByValue())
                // each on the next of the scheduler's threads, so that one who does much does not keep the others
                .forEach(woken -> Schedulers.parallel().schedule(woken.getKey()::wake));
        // not in a loop: others want this thread, too
        if (news.addAndGet(-seen) > 0) {
            Schedulers.parallel().schedule(this::wakeWhoWants);
        }
    }

    private static boolean moved(RoutingTable before, RoutingTable now) {
        if (before.servers().size() != now.servers().size()
                || before.primary().isPresent() != now.primary().isPresent()
                || !Objects.equals(before.lineage(), now.lineage())) {
            return true;
        }
        for (int i = 0; i < now.servers().size(); i++) {
            ServerState then = before.servers().get(i);
            ServerState server = now.servers().get(i);
            boolean same = then.role() == server.role()
                    && then.status() == server.status()
                    && then.tags().equals(server.tags())
                    && then.lag().freshAt() == server.lag().freshAt()
                    && (!server.readable() || samePosition(then, server));
            if (!same || then.readable() != server.readable()) {
                return true;
            }
        }
        return false;
    }

    private static boolean samePosition(ServerState then, ServerState now) {
        return now.position() == null ? then.position() == null : now.position().equals(then.position());
    }
}
