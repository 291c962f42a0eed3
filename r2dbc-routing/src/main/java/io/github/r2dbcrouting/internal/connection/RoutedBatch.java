package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Result;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;

/** A batch that is made on a server's connection when its execution is subscribed, and not before. */
final class RoutedBatch implements Batch {

    private final RoutedConnection connection;
    private final Engine engine;
    private final List<String> statements = new ArrayList<>();
    private boolean touchesDurability;
    private boolean changesRows;
    private boolean leavesState;
    private StatementText.Kind kind = StatementText.Kind.READ;

    RoutedBatch(RoutedConnection connection, Engine engine) {
        this.connection = connection;
        this.engine = engine;
    }

    @Override
    public Batch add(String sql) {
        Required.argument(sql, "sql");
        StatementText text = engine.read(sql);
        if (text.parameters() > 0) {
            throw new IllegalArgumentException("a statement with parameters cannot be part of a batch: " + sql);
        }
        touchesDurability |= text.touchesDurability();
        changesRows |= text.changesRows();
        leavesState |= text.leavesState();
        kind = text.kind().compareTo(kind) > 0 ? text.kind() : kind;
        statements.add(sql);
        return this;
    }

    @Override
    public Flux<Result> execute() {
        List<String> all = List.copyOf(statements);
        return Execution.of(connection, new Command(null, text(), false, false, server -> {
            Batch batch = server.createBatch();
            for (String sql : all) {
                batch = batch.add(sql);
            }
            return Flux.from(batch.execute());
        }));
    }

    /** What the statements so far tell together: as much as the one that tells the worst. */
    StatementText text() {
        return new StatementText(0, statements.size(), kind, changesRows, false, touchesDurability, leavesState);
    }

    @Override
    public String toString() {
        return "RoutedBatch[" + statements.size() + " statements]";
    }
}
