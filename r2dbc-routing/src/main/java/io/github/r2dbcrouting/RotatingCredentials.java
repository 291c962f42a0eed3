package io.github.r2dbcrouting;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import io.r2dbc.spi.R2dbcTransientResourceException;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * Opens each connection with the credentials of the moment.
 *
 * <p>The driver takes a source for the name and another for the password, and asks them separately: while they change,
 * the name could be an old one and the password the new one. So the pair is asked for here, once for each connection,
 * and handed to the driver's two sources through the Context of that connection's opening.
 */
final class RotatingCredentials implements ConnectionFactory {

    private static final Option<Object> USER = Option.valueOf(ConnectionFactoryOptions.USER.name());
    private static final Option<Object> PASSWORD = Option.valueOf(ConnectionFactoryOptions.PASSWORD.name());

    private final String server;
    private final Publisher<Credentials> source;
    private final ConnectionFactory driver;

    RotatingCredentials(String server, ConnectionFactoryOptions options, Publisher<Credentials> source) {
        this.server = server;
        this.source = source;
        this.driver = ServerUrl.open(
                server,
                options.mutate()
                        .option(USER, ofTheMoment(Credentials::user))
                        .option(PASSWORD, ofTheMoment(Credentials::password))
                        .build());
    }

    private static <T> Mono<T> ofTheMoment(Function<Credentials, T> part) {
        return Mono.deferContextual(context -> Mono.just(part.apply(context.get(Credentials.class))));
    }

    @Override
    public Mono<Connection> create() {
        return Mono.from(source)
                .onErrorMap(error -> new R2dbcTransientResourceException(
                        "the credentials for server '" + server + "' could not be had", error))
                .switchIfEmpty(Mono.error(() -> new R2dbcTransientResourceException(
                        "there are no credentials for server '" + server + "': their source gave none")))
                .flatMap(credentials -> Mono.<Connection>from(driver.create())
                        .contextWrite(context -> context.put(Credentials.class, credentials)));
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return driver.getMetadata();
    }
}
