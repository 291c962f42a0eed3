package io.github.r2dbcrouting.benchmarks.targets;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Routing;
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
import reactor.util.context.Context;

/**
 * How much memory does a session hold while its user does nothing? By the heap's growth over a million of them, all of one
 * cluster and each with a position of its own.
 */
final class Memory implements Measurement {

    private static final int LIMIT = 128;
    private static final int COLLECTIONS = 4;
    private static final String CLUSTER = "7000000000000000001";
    private static final ServerIdentity REPLICA = new ServerIdentity(CLUSTER, "started");

    @Override
    public List<Target> measure(boolean quick) {
        int count = quick ? 200_000 : 1_000_000;
        return List.of(
                target("with a token from outside", bytes(count, Memory::resumed), "", count),
                target(
                        "that has read and written",
                        bytes(count, Memory::used),
                        String.format(Locale.ROOT, "; %.0f B once it has read from a replica again", bytes(count, i -> {
                            CausalSession session = used(i);
                            read(state(session));
                            return session;
                        })),
                        count));
    }

    private static Target target(String kind, double bytes, String note, int count) {
        return new Target(
                "memory of an idle session " + kind,
                "at most " + LIMIT + " B",
                String.format(Locale.ROOT, "%.1f B, %,d sessions%s", bytes, count, note),
                bytes <= LIMIT,
                false);
    }

    private static double bytes(int count, LongFunction<CausalSession> making) {
        CausalSession[] sessions = new CausalSession[count];
        long before = heap();
        for (int i = 0; i < count; i++) {
            sessions[i] = making.apply(i);
        }
        double bytes = (heap() - before) / (double) count;
        // what is not used any more may be gone before it is counted
        if (sessions[count - 1].toString().isEmpty()) {
            throw new IllegalStateException("a session that says nothing of itself");
        }
        return bytes;
    }

    /** As a request or a message brings it: the token is a text. */
    private static CausalSession resumed(long i) {
        return CausalSession.resume(
                CausalToken.tryParse(token(i).encode()).orElseThrow(() -> new IllegalStateException("no token")));
    }

    private static CausalSession used(long i) {
        CausalSession session = CausalSession.create();
        SessionState state = state(session);
        read(state);
        PendingWrite write = state.begin(CLUSTER, false, () -> {});
        write.end();
        write.settle(token(i), 4);
        return session;
    }

    private static void read(SessionState state) {
        state.beginRead(NOBODY_ASKS, REPLICA, 1, 2).ended(3);
    }

    private static SessionState state(CausalSession session) {
        return Routing.session(session).apply(Context.empty()).get(SessionState.class);
    }

    private static CausalToken token(long i) {
        return CausalToken.of(List.of(new WalPosition(CLUSTER, 1, 16L * i)));
    }

    private static final Floors NOBODY_ASKS = new Floors() {
        @Override
        public void find(SightedFloor floor) {
            throw new IllegalStateException("nobody asks for a position");
        }

        @Override
        public long now() {
            throw new IllegalStateException("nobody asks for the time");
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
