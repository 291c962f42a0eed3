package io.github.r2dbcrouting;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Sits below the pools and tells each subscription, by its Context, which phase it enters on the wire. Also counts
 * connections that begin a transaction for one borrower while they are in another's.
 */
final class PhaseSpy implements ConnectionFactory {

    /** What a subscription puts into its Context to be told. */
    @FunctionalInterface
    interface Watched {
        void enter(Phase phase);
    }

    private final ConnectionFactory driver;
    private final AtomicInteger lentTwice;

    PhaseSpy(ConnectionFactory driver, AtomicInteger lentTwice) {
        this.driver = driver;
        this.lentTwice = lentTwice;
    }

    @Override
    public Publisher<? extends Connection> create() {
        return Mono.from(driver.create()).map(this::spyOn);
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return driver.getMetadata();
    }

    private Connection spyOn(Connection connection) {
        AtomicReference<Object> borrower = new AtomicReference<>();
        return proxy(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "beginTransaction" ->
                Mono.deferContextual(context -> {
                    Object mine = context.getOrDefault(Watched.class, (Watched) phase -> {});
                    if (!mine.equals(borrower.getAndSet(mine)) && !connection.isAutoCommit()) {
                        lentTwice.incrementAndGet();
                    }
                    enter(context, Phase.BEGINNING);
                    return Mono.from((Publisher<?>) call(connection, method, arguments));
                });
            case "commitTransaction" ->
                Mono.deferContextual(context -> {
                    enter(context, Phase.COMMITTING);
                    return Mono.from((Publisher<?>) call(connection, method, arguments));
                });
            case "createStatement" -> spyOn((Statement) call(connection, method, arguments));
            default -> call(connection, method, arguments);
        });
    }

    private static Statement spyOn(Statement statement) {
        return proxy(Statement.class, (self, method, arguments) -> switch (method.getName()) {
            case "execute" ->
                Flux.deferContextual(context -> {
                    enter(context, Phase.EXECUTING);
                    return Flux.from(statement.execute()).map(PhaseSpy::spyOn);
                });
            case "toString", "hashCode", "equals" -> call(statement, method, arguments);
            default -> {
                call(statement, method, arguments);
                yield self;
            }
        });
    }

    private static Result spyOn(Result result) {
        return proxy(
                Result.class,
                (self, method, arguments) -> method.getName().equals("map")
                        ? Flux.deferContextual(context -> Flux.from((Publisher<?>) call(result, method, arguments))
                                .doOnNext(row -> enter(context, Phase.EMITTING)))
                        : call(result, method, arguments));
    }

    private static void enter(ContextView context, Phase phase) {
        context.<Watched>getOrEmpty(Watched.class).ifPresent(watched -> watched.enter(phase));
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object call(Object target, Method method, Object[] arguments) throws IllegalStateException {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof RuntimeException original) {
                throw original;
            }
            throw new IllegalStateException(thrown.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
