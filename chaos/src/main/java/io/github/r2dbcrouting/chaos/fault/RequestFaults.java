package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What other requests do to those of the users. */
final class RequestFaults {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** More than all pools of one router lend together. */
    private static final int EVERY_CONNECTION = 60;

    private RequestFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("pools exhausted", Lane.APPLICATIONS, RequestFaults::exhausted),
                new Fault("conflicts with recovery", Lane.APPLICATIONS, RequestFaults::conflicts),
                new Fault("row locks held", Lane.APPLICATIONS, RequestFaults::locks));
    }

    private static void exhausted(Target target) {
        RoutingConnectionFactory router = target.any(target.routers());
        double seconds = target.between(300, 1500).toMillis() / 1000.0;
        run(Flux.range(0, EVERY_CONNECTION)
                .flatMap(
                        i -> statement(router, "SELECT pg_sleep(" + seconds + ")::text")
                                .contextWrite(i % 3 == 0 ? Routing.write() : Routing.read()),
                        EVERY_CONNECTION));
    }

    /** Long reads on replicas, and in their way what the primary cleans up and locks. */
    private static void conflicts(Target target) {
        PostgresServer primary = target.primary();
        RoutingConnectionFactory router = target.any(target.routers());
        Mono<Void> readers = Flux.range(0, 8)
                .flatMap(
                        i -> statement(router, "SELECT count(*)::text FROM list, pg_sleep(1)")
                                .contextWrite(Routing.read()),
                        8)
                .then();
        Mono<Void> cleaner = Mono.<Void>fromRunnable(() -> {
                    primary.execute("VACUUM list");
                    primary.execute("BEGIN; LOCK TABLE list IN ACCESS EXCLUSIVE MODE; COMMIT");
                })
                .subscribeOn(reactor.core.scheduler.Schedulers.boundedElastic())
                .delaySubscription(Duration.ofMillis(150));
        run(Flux.merge(readers, cleaner));
    }

    /** Writers wait for one another, and those that time out leave a cancelled statement behind. */
    private static void locks(Target target) throws Exception {
        PostgresServer primary = target.primary();
        double seconds = target.between(200, 1200).toMillis() / 1000.0;
        primary.execute("BEGIN; LOCK TABLE list IN EXCLUSIVE MODE; SELECT pg_sleep(" + seconds + "); COMMIT");
    }

    /** Whether it succeeds is nobody's concern here. */
    private static Mono<Void> statement(RoutingConnectionFactory router, String sql) {
        return Mono.usingWhen(
                        router.create(),
                        connection -> Flux.from(connection.createStatement(sql).execute())
                                .concatMap(result -> result.map((row, metadata) -> 1))
                                .then(),
                        Connection::close)
                .onErrorComplete();
    }

    private static void run(Flux<Void> requests) {
        var unused = requests.then().block(LIMIT);
    }
}
