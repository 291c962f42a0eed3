package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Routing;
import java.util.function.Function;
import reactor.util.context.Context;

/** What the Context of a whole chain says: the columns of the table. */
enum Asked {
    NOTHING("no session"),
    SESSION("session"),
    READ("`Routing.read()`"),
    WRITE("`Routing.write()`");

    private final String title;

    Asked(String title) {
        this.title = title;
    }

    /** What to put around a chain; a session is a new one each time, which has to see what the token says. */
    Function<Context, Context> entry(CausalToken token) {
        return switch (this) {
            case NOTHING -> Function.identity();
            case SESSION -> Routing.session(CausalSession.resume(token));
            case READ -> Routing.read();
            case WRITE -> Routing.write();
        };
    }

    @Override
    public String toString() {
        return title;
    }
}
