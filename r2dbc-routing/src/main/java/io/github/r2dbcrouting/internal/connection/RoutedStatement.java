package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/** A statement that is made on a server's connection when its execution is subscribed, and not before. */
final class RoutedStatement implements Statement {

    private final RoutedConnection connection;
    private final String sql;
    private final StatementText text;
    private final Bindings bindings;
    private int fetchSize = -1;
    private String @Nullable [] generatedColumns;

    RoutedStatement(RoutedConnection connection, Engine engine, String sql) {
        this.connection = connection;
        this.sql = sql;
        this.text = engine.read(sql);
        this.bindings = new Bindings(text.parameters());
        if (text.statements() > 1 && text.parameters() > 0) {
            throw new IllegalArgumentException("a text with several statements cannot have parameters");
        }
    }

    @Override
    public Statement add() {
        bindings.add();
        return this;
    }

    @Override
    public Statement bind(int index, Object value) {
        bindings.bind(index, value);
        return this;
    }

    @Override
    public Statement bind(String name, Object value) {
        return bind(bindings.indexOf(name), value);
    }

    @Override
    public Statement bindNull(int index, Class<?> type) {
        bindings.bindNull(index, type);
        return this;
    }

    @Override
    public Statement bindNull(String name, Class<?> type) {
        return bindNull(bindings.indexOf(name), type);
    }

    @Override
    public Statement returnGeneratedValues(String... columns) {
        for (String column : Required.argument(columns, "columns")) {
            Required.argument(column, "column");
        }
        if (text.returnsRows()) {
            throw new IllegalStateException("the statement has a RETURNING clause already");
        }
        if (!text.changesRows()) {
            throw new IllegalStateException("only an insert, update, delete or merge can return generated values");
        }
        generatedColumns = columns.clone();
        return this;
    }

    @Override
    public Statement fetchSize(int rows) {
        if (rows < 0) {
            throw new IllegalArgumentException("the fetch size is at least 0, not " + rows);
        }
        fetchSize = rows;
        return this;
    }

    @Override
    public Flux<Result> execute() {
        var values = bindings.finish();
        int rows = fetchSize;
        String[] columns = generatedColumns;
        boolean oneResult = text.statements() <= 1 && values.size() <= 1;
        Function<Connection, Statement> made = server -> {
            Statement statement = Bindings.replay(values, server.createStatement(sql));
            statement = rows >= 0 ? statement.fetchSize(rows) : statement;
            return columns == null ? statement : statement.returnGeneratedValues(columns);
        };
        return run(
                connection,
                text,
                oneResult,
                server -> Flux.from(made.apply(server).execute()));
    }

    /** Runs something that yields results on the connection that is chosen for its subscriber. */
    static Flux<Result> run(
            RoutedConnection connection,
            StatementText text,
            boolean oneResult,
            Function<Connection, Flux<? extends Result>> execution) {
        boolean sentAtOnce = connection.engine().sentAtOnce(text);
        return Flux.deferContextual(context -> connection
                .leaseForStatement(text.kind())
                .flatMapMany(served -> {
                    Lease lease = served.lease();
                    PendingWrite write = connection.beginWrite(lease, context, text.kind());
                    if (text.touchesDurability()) {
                        lease.physical().forgetDurability();
                    }
                    Flux<? extends Result> sent = Flux.defer(() -> execution.apply(lease.connection()));
                    // the driver drops a result that arrives after the cancel, and with it the rest of the conversation
                    Flux<? extends Result> kept = sentAtOnce ? sent.doOnDiscard(Result.class, Lease::discard) : sent;
                    if (served.permit() != null && write == null) {
                        BudgetedRead read = new BudgetedRead(served, sentAtOnce);
                        return new InUse<Result>(lease, kept, () -> {}, read).map(read::watch);
                    }
                    if (write == null) {
                        return new InUse<Result>(lease, kept)
                                .map(result -> new RoutedResult(result, lease, null, sentAtOnce));
                    }
                    WatchedWrite watched = new WatchedWrite(lease, write, oneResult, sentAtOnce);
                    return new InUse<Result>(lease, kept, () -> {}, watched).map(watched::watch);
                }));
    }

    @Override
    public String toString() {
        return "RoutedStatement[" + sql + "]";
    }
}
