package io.github.r2dbcrouting.test;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Does this PostgreSQL server run, and where? Starts it, ends it, signals it; knows no SQL. */
interface ServerProcess {

    /** Where the server listens, as soon as it is certain that it is ours; {@code null} while it does not run. */
    @Nullable
    InetSocketAddress address();

    boolean isRunning();

    boolean isFrozen();

    /** Whether the server is, or will be at its next start, a primary or a replica. */
    Role role();

    /** Launches the server; {@link #awaitReady} tells when it accepts connections. */
    void launch();

    /** Returns its address when the launched server accepts connections; fails with the end of its log. */
    InetSocketAddress awaitReady();

    /** Disconnects all clients, writes everything out and ends. */
    void stop();

    /** Ends it without a chance to write anything: a crash. */
    void kill();

    /** Crashes one of its backends and returns when the server has ended all others. */
    void killBackend(int pid);

    /** Stops all its processes where they are. */
    void freeze();

    /** Lets a frozen server go on. */
    void thaw();

    /** Ends it as fast as can be when its data is not wanted any more. */
    void discard();

    String logTail();
}
