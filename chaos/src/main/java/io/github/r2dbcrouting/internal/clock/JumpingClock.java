package io.github.r2dbcrouting.internal.clock;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A wall clock that somebody sets, beside a monotonic one that goes on. Thread-safe. */
public final class JumpingClock {

    private final AtomicLong shiftMillis = new AtomicLong();

    /** Creates one that is right. */
    public JumpingClock() {}

    /**
     * Returns elapsed time as a router measures it by this clock.
     *
     * @return the time
     */
    public ElapsedTime elapsed() {
        return new ElapsedTime(System::nanoTime, () -> System.currentTimeMillis() + shiftMillis.get());
    }

    /**
     * Sets the wall clock.
     *
     * @param by how far forward, or if negative back
     */
    public void jump(Duration by) {
        shiftMillis.addAndGet(by.toMillis());
    }
}
