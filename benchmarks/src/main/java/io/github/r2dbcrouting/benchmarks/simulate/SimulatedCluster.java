package io.github.r2dbcrouting.benchmarks.simulate;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * How busy is each server, and how far has it replayed, at a virtual time?
 *
 * <p>The first server is the primary. A request takes a slot for an exponentially distributed time, or waits for one.
 * Replicas replay what the primary wrote some time ago; how long ago is drawn for each anew whenever it is sampled.
 */
final class SimulatedCluster {

    static final String NAME = "7000000000000000001";

    private static final int SLOTS = 8;
    private static final double SERVICE_NANOS = 5e6;
    private static final double LAG_NANOS = 3e6;
    private static final long FIRST = 0x5000000L;

    private record Done(long at, int server) {}

    private record Written(long at, long lsn) {}

    private final Random random;
    private final int[] inFlight;
    private final long[] served;
    private final long[] replayed;
    private final long[][] slotFreeAt;
    private final ServerIdentity[] identities;
    private final PriorityQueue<Done> running = new PriorityQueue<>((one, other) -> Long.compare(one.at, other.at));
    private final Deque<Written> writes = new ArrayDeque<>();
    private long lsn = FIRST;
    private long version;

    SimulatedCluster(int servers, Random random) {
        this.random = random;
        inFlight = new int[servers];
        served = new long[servers];
        replayed = new long[servers];
        Arrays.fill(replayed, FIRST);
        slotFreeAt = new long[servers][SLOTS];
        identities = new ServerIdentity[servers];
        for (int i = 0; i < servers; i++) {
            identities[i] = new ServerIdentity(NAME, "started " + i);
        }
    }

    /** Returns how many requests per nanosecond keep a part of all replicas' slots busy. */
    static double rate(int servers, double utilization) {
        return utilization * Math.max(1, servers - 1) * SLOTS / SERVICE_NANOS;
    }

    int inFlight(int server) {
        return inFlight[server];
    }

    /** Ends what is over by a time. */
    void advanceTo(long now) {
        Done done;
        while ((done = running.peek()) != null && done.at <= now) {
            running.remove();
            inFlight[done.server]--;
        }
    }

    void serve(int server, long now) {
        long[] slots = slotFreeAt[server];
        int first = 0;
        for (int slot = 1; slot < slots.length; slot++) {
            first = slots[slot] < slots[first] ? slot : first;
        }
        long end = Math.max(now, slots[first]) + (long) (SERVICE_NANOS * exponential());
        slots[first] = end;
        running.add(new Done(end, server));
        inFlight[server]++;
        served[server]++;
    }

    /** Commits something on the primary, and returns its position. */
    WalPosition write(long now) {
        lsn += 100;
        writes.addLast(new Written(now, lsn));
        return new WalPosition(NAME, 1, lsn);
    }

    /** Samples all servers. */
    RoutingTable sample(long now) {
        List<ServerState> servers = new ArrayList<>();
        for (int i = 0; i < replayed.length; i++) {
            replayed[i] = i == 0 ? lsn : Math.max(replayed[i], writtenBy(now - (long) (LAG_NANOS * exponential())));
            servers.add(new ServerState(
                    i,
                    "db" + i,
                    List.of(),
                    i == 0 ? ServerRole.PRIMARY : ServerRole.REPLICA,
                    ServerStatus.UP,
                    new WalPosition(NAME, 1, replayed[i]),
                    identities[i],
                    now,
                    false,
                    null));
        }
        forget(now);
        return new RoutingTable(++version, servers, servers.get(0), NAME);
    }

    private long writtenBy(long time) {
        var newestFirst = writes.descendingIterator();
        while (newestFirst.hasNext()) {
            Written written = newestFirst.next();
            if (written.at <= time) {
                return written.lsn;
            }
        }
        return FIRST;
    }

    private void forget(long now) {
        Written oldest;
        while ((oldest = writes.peekFirst()) != null && now - oldest.at > 100 * LAG_NANOS) {
            writes.removeFirst();
        }
    }

    private double exponential() {
        return -Math.log(1 - random.nextDouble());
    }

    /** Returns how much more the busiest replica served than all did on average. */
    double spread() {
        long most = 0;
        long sum = 0;
        for (int i = 1; i < served.length; i++) {
            most = Math.max(most, served[i]);
            sum += served[i];
        }
        return sum == 0 ? Double.NaN : most * (served.length - 1.0) / sum;
    }
}
