package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * What is to be executed, on whichever connection?
 *
 * @param sql the text of the one statement that it is; {@code null} for a batch
 * @param text what is known of it
 * @param oneResult whether it brings one result only
 * @param repeatable whether it can be sent again: one statement whose values are still there
 * @param sent sends it, when what it returns is subscribed or when its results are consumed
 */
record Command(
        @Nullable String sql,
        StatementText text,
        boolean oneResult,
        boolean repeatable,
        Function<Connection, Flux<? extends Result>> sent) {

    /** What leaves something behind in its connection needs the one that everything else will run on. */
    StatementText.Kind kind() {
        return text.leavesState() ? StatementText.Kind.WRITE : text.kind();
    }
}
