package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Factories;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.InvalidTokenException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.WhenBehind;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Option;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What do users do with the router? */
final class Users {

    static final String APPEND = "INSERT INTO appended VALUES (";
    static final String READ = "SELECT value FROM appended WHERE key = ";
    private static final String APPEND_BOUND = APPEND + "$1, $2, $3)";
    private static final String READ_BOUND = READ + "$1 AND $2 > 0";

    /** So long a user waits for a token to hand over. */
    private static final Duration PATIENCE = Duration.ofMillis(300);

    private static final TransactionDefinition READ_ONLY = new TransactionDefinition() {
        @Override
        public <T> T getAttribute(Option<T> option) {
            if (option.equals(TransactionDefinition.READ_ONLY)) {
                return option.cast(true);
            }
            return option.equals(TransactionDefinition.ISOLATION_LEVEL)
                    ? option.cast(IsolationLevel.READ_COMMITTED)
                    : null;
        }
    };

    private final RoutingConnectionFactory factory;
    private final Agenda agenda;
    private final Rules rules;
    private final Story.Teller teller;
    final List<User> all = new ArrayList<>();

    Users(RoutingConnectionFactory factory, Agenda agenda, Rules rules, Story.Teller teller) {
        this.factory = factory;
        this.agenda = agenda;
        this.rules = rules;
        this.teller = teller;
        for (int i = 0; i < Story.USERS; i++) {
            all.add(new User(i, newSession()));
        }
    }

    private CausalSession newSession() {
        return Factories.session(agenda::now, () -> Instant.ofEpochSecond(1_800_000_000L, agenda.now()));
    }

    /** The numbers in a text that has them in place of parameters. */
    static int[] literals(Question question, String sql) {
        if (question == Question.APPEND) {
            String values = sql.substring(APPEND.length(), sql.length() - 1);
            return Stream.of(values.split(", ", -1)).mapToInt(Integer::parseInt).toArray();
        }
        return new int[3];
    }

    /** How many have not finished what they do. */
    int busy() {
        return (int) all.stream()
                .filter(user -> user.now != null || !user.next.isEmpty())
                .count();
    }

    void ask(Happening wanted) {
        User user = all.get(wanted.who());
        user.next.add(wanted);
        begin(user);
    }

    private void begin(User user) {
        Happening wanted = user.now == null ? user.next.poll() : null;
        if (wanted == null) {
            return;
        }
        boolean atMost = wanted.what() == Happening.What.READ_AT_MOST;
        Operation operation = new Operation(
                wanted.number(),
                wanted,
                user,
                agenda.now(),
                rules.mustSee(user, wanted.key()),
                atMost ? Duration.ofMillis(wanted.amount()) : null);
        user.now = operation;
        rules.begun(operation);
        Mono<BitSet> work =
                work(operation).contextWrite(Routing.session(user.session)).contextWrite(routing(wanted));
        Disposable running = work.subscribe(
                seen -> over(operation, seen, null),
                error -> over(operation, null, error),
                () -> over(operation, null, null));
        boolean givesUp = !atMost && wanted.what() != Happening.What.HAND_OVER && wanted.amount() > 0;
        if (givesUp && !operation.over) {
            agenda.routerAfter(wanted.amount() * Agenda.MICROSECOND, () -> {
                if (!operation.over) {
                    running.dispose();
                    teller.tell(() -> "user " + user.number + " gives up");
                    over(operation, null, new java.util.concurrent.CancellationException("gave up"));
                }
            });
        }
    }

    private static Function<reactor.util.context.Context, reactor.util.context.Context> routing(Happening wanted) {
        Routing read = Routing.read();
        return switch (wanted.what()) {
            case READ_ANY -> read.freshness(Freshness.any());
            case READ_AT_MOST -> read.freshness(Freshness.atMost(Duration.ofMillis(wanted.amount())));
            case LATEST -> read.freshness(Freshness.latest());
            case WAITING_READ -> read.whenBehind(WhenBehind.WAIT);
            // told by the text: reads under a session are causal
            default -> context -> context;
        };
    }

    private Mono<BitSet> work(Operation operation) {
        return switch (operation.asked.what()) {
            case APPEND, APPEND_LITERAL ->
                using(connection -> append(connection, operation).then(Mono.empty()));
            case TRANSACTION ->
                using(connection -> Mono.from(connection.beginTransaction())
                        .then(append(connection, operation))
                        .then(read(connection, operation))
                        .flatMap(seen ->
                                Mono.from(connection.commitTransaction()).thenReturn(seen))
                        .onErrorResume(error -> Mono.from(connection.rollbackTransaction())
                                .onErrorComplete()
                                .then(Mono.error(error))));
            case READ_ONLY_TRANSACTION ->
                using(connection -> Mono.from(connection.beginTransaction(READ_ONLY))
                        .then(read(connection, operation))
                        .then(read(connection, operation))
                        .flatMap(seen ->
                                Mono.from(connection.commitTransaction()).thenReturn(seen))
                        .onErrorResume(error -> Mono.from(connection.rollbackTransaction())
                                .onErrorComplete()
                                .then(Mono.error(error))));
            case HAND_OVER -> handOver(operation);
            default -> using(connection -> read(connection, operation));
        };
    }

    private Mono<BitSet> using(Function<Connection, Mono<BitSet>> work) {
        return Mono.usingWhen(factory.create(), work, Connection::close);
    }

    private static Mono<Long> append(Connection connection, Operation operation) {
        Happening asked = operation.asked;
        Statement statement = asked.what() == Happening.What.APPEND_LITERAL
                ? connection.createStatement(
                        APPEND + asked.key() + ", " + asked.number() + ", " + operation.number + ")")
                : connection
                        .createStatement(APPEND_BOUND)
                        .bind(0, asked.key())
                        .bind(1, asked.number())
                        .bind(2, operation.number);
        return Flux.from(statement.execute()).concatMap(Result::getRowsUpdated).then(Mono.just(1L));
    }

    private static Mono<BitSet> read(Connection connection, Operation operation) {
        return Flux.defer(() -> execute(connection, operation))
                .concatMap(result -> result.map((row, metadata) -> row.get(0, BitSet.class)))
                .single();
    }

    private static Publisher<? extends Result> execute(Connection connection, Operation operation) {
        return connection
                .createStatement(READ_BOUND)
                .bind(0, operation.key)
                .bind(1, operation.number)
                .execute();
    }

    /** Another process goes on from the token, whether all in it has a position or not. */
    private Mono<BitSet> handOver(Operation operation) {
        User from = operation.user;
        User to = all.get(operation.key);
        Mono<CausalToken> token =
                operation.number % 6 == 0 ? from.session.token(Duration.ofMillis(5)) : from.session.token();
        BitSet knows = (BitSet) from.knows.clone();
        BitSet unknown = (BitSet) from.unknown.clone();
        BitSet excused = (BitSet) from.excused.clone();
        return token.timeout(PATIENCE).flatMap(given -> {
            CausalToken taken;
            try {
                taken = CausalToken.parse(given.encode());
            } catch (InvalidTokenException refused) {
                return Mono.error(refused);
            }
            if (to.now != null && to.now != operation) {
                return Mono.empty();
            }
            if (operation.number % 2 == 0 && to != from) {
                to.session.observe(taken);
            } else {
                to.session = newSession();
                to.session.observe(taken);
                to.knows.clear();
                to.unknown.clear();
                to.acknowledged.clear();
                to.excused.clear();
                to.marked = false;
            }
            to.knows.or(knows);
            to.excused.or(excused);
            to.unknown.or(unknown);
            to.marked |= taken.unresolved().stream().anyMatch(mark -> mark.until() != Unresolved.ENDED);
            return Mono.<BitSet>empty();
        });
    }

    private void over(Operation operation, BitSet seen, Throwable error) {
        if (operation.over) {
            return;
        }
        operation.over = true;
        User user = operation.user;
        boolean writes = operation.asked.what().compareTo(Happening.What.TRANSACTION) <= 0;
        int value = operation.asked.number();
        teller.tell(() -> "user " + user.number
                + (error != null
                        ? " fails: " + error.getMessage()
                        : seen == null
                                ? " is done, on " + operation.servedBy
                                : " reads " + seen + " on " + operation.servedBy));
        if (error != null) {
            expected(operation, error);
            rules.failed(operation, error);
            if (writes) {
                user.unknown.set(value);
            }
        } else {
            if (seen != null) {
                rules.delivered(operation, seen);
                user.knows.or(seen);
            }
            if (writes) {
                user.knows.set(value);
                user.acknowledged.set(value);
            }
        }
        user.now = null;
        if (!user.next.isEmpty()) {
            agenda.routerAfter(1, () -> begin(user));
        }
    }

    private void expected(Operation operation, Throwable error) {
        if (error instanceof PossiblyLostWriteException) {
            rules.toldByError();
            operation.user.excused.or(operation.user.knows);
        }
        // a transaction that was given up on is open until it is rolled back
        boolean early = operation.asked.what() == Happening.What.HAND_OVER && error instanceof IllegalStateException;
        boolean usual = early
                || error instanceof R2dbcException
                || error instanceof TimeoutException
                || error instanceof java.util.concurrent.CancellationException;
        if (!usual) {
            java.io.StringWriter trace = new java.io.StringWriter();
            error.printStackTrace(new java.io.PrintWriter(trace));
            rules.broken("errors are those of the database", trace.toString());
        }
    }
}
