package io.github.r2dbcrouting.benchmarks.load;

import io.r2dbc.spi.ConnectionFactory;
import java.util.function.Function;
import reactor.util.context.Context;

/**
 * Over what does one request run, and under which Context?
 *
 * @param factory lends the connection
 * @param context is written for everything from lending to giving back
 * @param reason why there, for routers that say so by themselves; empty if they do not
 */
record Access(ConnectionFactory factory, Function<Context, Context> context, String reason) {

    static Access over(ConnectionFactory factory) {
        return new Access(factory, Function.identity(), "");
    }
}
