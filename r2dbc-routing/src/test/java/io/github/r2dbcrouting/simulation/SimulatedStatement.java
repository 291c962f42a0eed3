package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.simulation.SimulatedConnection.Answer;
import io.github.r2dbcrouting.simulation.SimulatedConnection.Exchange;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * When is a statement sent, and what comes of it?
 *
 * <p>As with the driver for PostgreSQL: one without parameters when its execution is subscribed, one with parameters when
 * its result is consumed.
 */
final class SimulatedStatement implements Statement {

    private final SimulatedConnection connection;
    private final String sql;
    private final int[] bound = new int[3];
    private boolean parameters;

    SimulatedStatement(SimulatedConnection connection, String sql) {
        this.connection = connection;
        this.sql = sql;
    }

    @Override
    public Publisher<? extends Result> execute() {
        Question question = Question.of(sql);
        if (parameters) {
            Result result = new FakeResult(asked(question, bound.clone()).flatMapMany(SimulatedStatement::segments));
            return Flux.just(result);
        }
        return asked(question, Users.literals(question, sql)).map(answer -> new FakeResult(segments(answer)));
    }

    private Mono<Answer> asked(Question question, int[] values) {
        return Mono.create(sink -> {
            Exchange exchange = connection.send(question, sql, values, answer -> {
                if (answer.connectionLost()) {
                    sink.error(answer.error());
                } else {
                    sink.success(answer);
                }
            });
            var unused = sink.onCancel(exchange::abandon);
        });
    }

    private static Flux<Result.Segment> segments(Answer answer) {
        return answer.error() != null
                ? Flux.just(FakeResult.error(answer.error()))
                : Flux.fromIterable(answer.rows()).map(row -> (Result.RowSegment) () -> new Values(row));
    }

    @Override
    public Statement add() {
        throw new UnsupportedOperationException("several sets of values are not simulated");
    }

    @Override
    public Statement bind(int index, Object value) {
        parameters = true;
        bound[index] = (Integer) value;
        return this;
    }

    @Override
    public Statement bind(String name, Object value) {
        return bind(Integer.parseInt(name.substring(1)) - 1, value);
    }

    @Override
    public Statement bindNull(int index, Class<?> type) {
        throw new UnsupportedOperationException("null is not simulated");
    }

    @Override
    public Statement bindNull(String name, Class<?> type) {
        throw new UnsupportedOperationException("null is not simulated");
    }

    private static final class Values implements Row {

        private final Object[] values;

        private Values(Object[] values) {
            this.values = values;
        }

        @Override
        public RowMetadata getMetadata() {
            throw new UnsupportedOperationException("metadata is not simulated");
        }

        @Override
        public <T> T get(int index, Class<T> type) {
            return type.cast(values[index]);
        }

        @Override
        public <T> T get(String name, Class<T> type) {
            throw new UnsupportedOperationException("names are not simulated");
        }
    }
}
