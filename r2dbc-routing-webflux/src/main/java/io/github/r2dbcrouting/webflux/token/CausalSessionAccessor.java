package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalSession;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Carries the session between {@link CurrentSession} and Reactor's Context. Registered by being on the class path.
 *
 * @since 0.1.0
 */
public final class CausalSessionAccessor implements ThreadLocalAccessor<CausalSession> {

    /** Called by the service loader. */
    public CausalSessionAccessor() {}

    @Override
    public Object key() {
        return CausalSession.class;
    }

    @Override
    public @Nullable CausalSession getValue() {
        return CurrentSession.get();
    }

    @Override
    public void setValue(CausalSession session) {
        CurrentSession.set(session);
    }

    @Override
    public void setValue() {
        CurrentSession.set(null);
    }
}
