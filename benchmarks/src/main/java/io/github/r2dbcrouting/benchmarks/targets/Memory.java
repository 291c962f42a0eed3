package io.github.r2dbcrouting.benchmarks.targets;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/** How much memory does a session hold while its user does nothing? By the heap's growth over a million of them. */
final class Memory implements Measurement {

    private static final int LIMIT = 128;
    private static final int COLLECTIONS = 4;

    @Override
    public List<Target> measure(boolean quick) {
        int count = quick ? 200_000 : 1_000_000;
        CausalSession[] sessions = new CausalSession[count];
        long before = used();
        for (int i = 0; i < count; i++) {
            // as a write leaves it: each has a position of its own, all are of one cluster
            sessions[i] =
                    CausalSession.resume(CausalToken.of(List.of(new WalPosition("7000000000000000001", 1, 16L * i))));
        }
        double bytes = (used() - before) / (double) count;
        // what is not used any more may be gone before it is counted
        boolean kept = sessions[count - 1].toString().length() > 0;
        return List.of(new Target(
                "memory of an idle session with a token",
                "at most " + LIMIT + " B",
                String.format(Locale.ROOT, "%.0f B, %,d sessions", bytes, count),
                kept && bytes <= LIMIT,
                false));
    }

    private static long used() {
        for (int i = 0; i < COLLECTIONS; i++) {
            ManagementFactory.getMemoryMXBean().gc();
            LockSupport.parkNanos(50_000_000);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
