package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/**
 * Carries, beside a session, the entry that the router looks for. Registered by being on the class path.
 *
 * @since 0.1.0
 */
public final class SessionStateAccessor implements ThreadLocalAccessor<SessionState> {

    /** Called by the service loader. */
    public SessionStateAccessor() {}

    @Override
    public Object key() {
        return SessionState.class;
    }

    @Override
    public @Nullable SessionState getValue() {
        CausalSession session = CurrentSession.get();
        return session == null
                ? null
                : Routing.session(session).apply(Context.empty()).get(SessionState.class);
    }

    /** Nothing: the session's own accessor sets the thread's value. */
    @Override
    public void setValue(SessionState state) {}

    /** Nothing: the session's own accessor takes the thread's value away. */
    @Override
    public void setValue() {}
}
