package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.samples.shop.store.PickList;
import io.github.r2dbcrouting.samples.shop.store.Revenue;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Does the shop work, with one of its replicas paused and the other one late? Users write and read back over HTTP, one of
 * them buys something, and the owner looks at the revenue.
 */
final class Smoke {

    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int DELAY_MILLIS = 300;

    private final PrintStream out;
    private final int users;
    private final int rounds;

    /** What the shop says of an order's number. */
    private record Placed(long id) {}

    /** Where an order stands. */
    private record Status(String status) {}

    Smoke(PrintStream out, int users, int rounds) {
        this.out = out;
        this.users = users;
        this.rounds = rounds;
    }

    /** Returns the exit code: 0 if everything was as it should be. */
    int run(DemoServers servers, RunningShop shop) {
        servers.pause("server1");
        servers.delay("server2", DELAY_MILLIS);
        out.println("faults    server1 applies nothing any more, server2 everything " + DELAY_MILLIS + " ms late");

        WebClient.Builder client = shop.bean(WebClient.Builder.class);
        Tally tally = new Tally();
        var unused = Flux.range(1, users)
                .map(number -> new SimulatedUser(client, shop.url(), "smoke-" + number, tally))
                .flatMap(user -> user.saveAndReadBack().repeat(rounds - 1), users)
                .then()
                .block(LIMIT);
        Tally.Counts counts = tally.counts();
        out.printf(
                Locale.ROOT,
                "users     %d wrote and read back %d times each; who served the reads: %s%n",
                users,
                rounds,
                counts.readsByServer());

        SimulatedUser buyer = new SimulatedUser(client, shop.url(), "smoke-buyer", tally);
        String status = Objects.requireNonNull(buy(buyer.client()).block(LIMIT));
        String report = Objects.requireNonNull(report(buyer.client()).block(LIMIT));
        out.printf(Locale.ROOT, "order     %s; the report was counted by %s%n", status, report);

        out.printf(
                Locale.ROOT,
                "webflux-shop: stale=%d failed=%d replica_share=%.2f reads=%d writes=%d order=%s report=%s%n",
                counts.stale(),
                counts.failed() + counts.possiblyLost(),
                // rounded down: 1.00 says that there was no exception
                Math.floor(counts.replicaShare() * 100) / 100,
                counts.reads(),
                counts.writes(),
                status,
                report);
        boolean well = counts.stale() == 0
                && counts.reads() == (long) users * rounds
                && counts.fromReplicas() > 0
                && status.equals("packed")
                && report.equals("server3");
        return well ? 0 : 1;
    }

    private static Mono<String> buy(WebClient client) {
        return client.put()
                .uri("/api/cart/1?quantity=2")
                .retrieve()
                .toBodilessEntity()
                .then(client.post().uri("/api/orders").retrieve().bodyToMono(Placed.class))
                .flatMap(placed -> client.post()
                        .uri("/api/orders/{id}/shipment", placed.id())
                        .retrieve()
                        .bodyToMono(PickList.class))
                .flatMap(packed -> client.get()
                        .uri("/api/orders/{id}/status", packed.orderId())
                        .retrieve()
                        .bodyToMono(Status.class))
                .map(Status::status);
    }

    private static Mono<String> report(WebClient client) {
        return client.get()
                .uri("/api/reports/revenue")
                .retrieve()
                .bodyToFlux(Revenue.class)
                .collectList()
                .map(Smoke::server);
    }

    private static String server(List<Revenue> rows) {
        return rows.isEmpty() ? "nobody" : rows.get(0).server();
    }
}
