package io.github.r2dbcrouting;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** Has whatever is subscribed through a factory run under a Context, for callers that cannot say so themselves. */
final class UnderContext {

    private static final List<Class<?>> WRAPPED = List.of(Connection.class, Statement.class, Batch.class, Result.class);

    private UnderContext() {}

    static ConnectionFactory all(ConnectionFactory factory, Function<Context, Context> entry) {
        return wrap(ConnectionFactory.class, factory, entry);
    }

    private static <T> T wrap(Class<T> type, T target, Function<Context, Context> entry) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    Object answer = call(target, method, arguments);
                    // fluent: what is chained on goes on under the Context
                    return target.equals(answer) ? proxy : under(entry, answer);
                }));
    }

    static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException failure) {
            throw failure.getCause();
        }
    }

    private static Object under(Function<Context, Context> entry, Object answer) {
        // a Mono stays one: an operator that cancels must not stand above a source of connections
        if (answer instanceof Mono<?> mono) {
            return mono.map(value -> under(entry, value)).contextWrite(entry);
        }
        if (answer instanceof Publisher<?> publisher) {
            return Flux.from(publisher)
                    .<Object>map(value -> under(entry, value))
                    .contextWrite(entry);
        }
        for (Class<?> type : WRAPPED) {
            if (type.isInstance(answer)) {
                return wrapAs(type, answer, entry);
            }
        }
        return answer;
    }

    private static <T> T wrapAs(Class<T> type, Object answer, Function<Context, Context> entry) {
        return wrap(type, type.cast(answer), entry);
    }
}
