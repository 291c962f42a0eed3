package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalSession;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * On whose behalf does blocking code run on this thread?
 *
 * <p>For servlets, virtual threads and jobs that call reactive code and wait for it. Micrometer's context propagation
 * carries it into Reactor's Context, and from there back to threads: with {@code contextCapture()}, or everywhere with
 * {@code spring.reactor.context-propagation=auto}. One value for each thread.
 *
 * @since 0.1.0
 */
public final class CurrentSession {

    private static final ThreadLocal<@Nullable CausalSession> SESSION = new ThreadLocal<>();

    private CurrentSession() {}

    /**
     * Returns the session of this thread.
     *
     * @return the session; {@code null} if there is none
     */
    public static @Nullable CausalSession get() {
        return SESSION.get();
    }

    /**
     * Runs something on behalf of a session, and puts the one before back afterwards.
     *
     * @param session the session
     * @param body what to run, on this thread
     * @param <T> what it returns
     * @return what the body returns
     * @throws Exception what the body throws
     */
    public static <T> T callWith(CausalSession session, Callable<T> body) throws Exception {
        CausalSession before = SESSION.get();
        set(Objects.requireNonNull(session, "session"));
        try {
            return body.call();
        } finally {
            set(before);
        }
    }

    static void set(@Nullable CausalSession session) {
        if (session == null) {
            SESSION.remove();
        } else {
            SESSION.set(session);
        }
    }
}
