package io.github.r2dbcrouting.chaos;

import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** Which lists are written to at present? When one is long enough another takes its place. Thread-safe. */
final class Keys {

    private static final int LONGEST = 32;

    /** So many of those that are written to no more are still read at times. */
    private static final int REMEMBERED = 20;

    private final AtomicLongArray current;
    private final long first;
    private final AtomicLong next;

    Keys(int atATime, long first) {
        this.first = first;
        next = new AtomicLong(first);
        current = new AtomicLongArray(atATime);
        for (int i = 0; i < atATime; i++) {
            current.set(i, next.getAndIncrement());
        }
    }

    long forWriting(Random random) {
        return current.get(random.nextInt(current.length()));
    }

    long forReading(Random random) {
        long key = forWriting(random);
        return random.nextInt(10) == 0 ? Math.max(first, key - random.nextInt(REMEMBERED)) : key;
    }

    long[] two(Random random) {
        long one = forWriting(random);
        long other = forWriting(random);
        while (other == one) {
            other = forWriting(random);
        }
        // in one order for all, or two transactions would wait for each other
        return one < other ? new long[] {one, other} : new long[] {other, one};
    }

    /** Says how long a list is by now. */
    void grew(long key, int length) {
        if (length >= LONGEST) {
            for (int i = 0; i < current.length(); i++) {
                if (current.get(i) == key) {
                    current.compareAndSet(i, key, next.getAndIncrement());
                }
            }
        }
    }

    /** A key below all that are written to at present. */
    long oldest() {
        long oldest = Long.MAX_VALUE;
        for (int i = 0; i < current.length(); i++) {
            oldest = Math.min(oldest, current.get(i));
        }
        return oldest;
    }
}
