package io.github.r2dbcrouting.samples.quickstart;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Was the demo told to stop before its end? Then the main thread is interrupted and given the time to close what it has
 * opened, in the order in which it would at its end.
 *
 * <p>Thread-safe.
 */
final class Interruption {

    private static final int LIMIT_SECONDS = 5;

    private final Thread main = Thread.currentThread();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean happened;

    private Interruption() {}

    /** Guards the calling thread from now on. */
    static Interruption guard() {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(new Thread(interruption::atExit, "quickstart-at-exit"));
        return interruption;
    }

    boolean happened() {
        return happened;
    }

    /** Says that nothing is left to close. */
    void ended() {
        ended.countDown();
    }

    private void atExit() {
        if (ended.getCount() == 0) {
            return;
        }
        happened = true;
        PrintStream err = System.err;
        // the cluster has an exit of its own, at the same time: whoever still has a connection would complain
        System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, Charset.defaultCharset()));
        main.interrupt();
        try {
            if (!ended.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                err.println("quickstart: not everything could be closed in time");
            }
        } catch (InterruptedException e) {
            // nobody interrupts the thread of a hook; the JVM ends anyway
        }
    }
}
