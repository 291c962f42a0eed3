package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import java.util.function.Function;
import reactor.util.context.Context;

/** What do the users of a run ask of the router? The two ways differ in nothing else. */
enum Reading {
    /** Reads go to any replica, whatever the user has written. */
    NAIVE("naive") {
        @Override
        Function<Context, Context> user() {
            return Function.identity();
        }

        @Override
        Routing read() {
            return Routing.read().freshness(Freshness.any());
        }
    },

    /** Each user has a session, and reads go to a replica that has what the session wrote. */
    CAUSAL("causal") {
        @Override
        Function<Context, Context> user() {
            return Routing.session(CausalSession.create());
        }

        @Override
        Routing read() {
            return Routing.read();
        }
    };

    private final String label;

    Reading(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    /** What goes into the Context of all that one user does. */
    abstract Function<Context, Context> user();

    /** What goes into the Context of each read. */
    abstract Routing read();
}
