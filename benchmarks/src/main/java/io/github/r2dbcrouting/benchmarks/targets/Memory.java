package io.github.r2dbcrouting.benchmarks.targets;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;

/** How much memory does a session hold while its user does nothing? By the heap's growth over a million of them. */
final class Memory implements Measurement {

    private static final int LIMIT = 128;

    /** Of a {@link CausalSession} around its state: a header and a reference. */
    private static final int HANDLE = 16;

    private static final int COLLECTIONS = 4;
    private static final String CLUSTER = "7000000000000000001";
    private static final ServerIdentity REPLICA = new ServerIdentity(CLUSTER, "started");

    @Override
    public List<Target> measure(boolean quick) {
        int count = quick ? 200_000 : 1_000_000;
        return List.of(
                target("with a token", count, 0, i -> CausalSession.resume(token(i))),
                target("that has read and written", count, HANDLE, Memory::used));
    }

    private static Target target(String kind, int count, int besides, LongFunction<Object> making) {
        Object[] sessions = new Object[count];
        long before = heap();
        for (int i = 0; i < count; i++) {
            sessions[i] = making.apply(i);
        }
        double bytes = (heap() - before) / (double) count + besides;
        // what is not used any more may be gone before it is counted
        boolean kept = sessions[count - 1].toString().length() > 0;
        return new Target(
                "memory of an idle session " + kind,
                "at most " + LIMIT + " B",
                String.format(Locale.ROOT, "%.0f B, %,d sessions", bytes, count),
                kept && bytes <= LIMIT,
                false);
    }

    /** Each has a position of its own, all are of one cluster. */
    private static CausalToken token(long i) {
        return CausalToken.of(List.of(new WalPosition(CLUSTER, 1, 16L * i)));
    }

    private static SessionState used(long i) {
        SessionState session = new SessionState();
        session.beginRead(NOBODY_ASKS, REPLICA, 1, 2).ended(3);
        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        write.end();
        write.settle(token(i), 4);
        return session;
    }

    private static final Floors NOBODY_ASKS = new Floors() {
        @Override
        public void find(SightedFloor floor) {
            throw new IllegalStateException("the write's position is behind what was read");
        }

        @Override
        public long now() {
            return 0;
        }
    };

    private static long heap() {
        for (int i = 0; i < COLLECTIONS; i++) {
            ManagementFactory.getMemoryMXBean().gc();
            LockSupport.parkNanos(50_000_000);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
