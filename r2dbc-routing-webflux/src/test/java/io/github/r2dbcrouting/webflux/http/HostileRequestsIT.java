package io.github.r2dbcrouting.webflux.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.HttpHandler;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.http.server.reactive.MockServerHttpResponse;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Whoever sends texts that are no tokens gets an answer like everybody, and costs no more. */
@Tag("alone")
@PostgresClusterTest(replicas = 1)
class HostileRequestsIT {

    private static final int SLICES = 20;
    private static final int SLICE = 5_000;
    private static final int AT_ONCE = 32;

    /** One request in so many asks the database; the others show what the filter does. */
    private static final int READ_EVERY = 25;

    private static final Duration PROBED_EVERY = Duration.ofMillis(50);

    private final PostgresCluster cluster;
    private final AtomicLong onPrimary = new AtomicLong();
    private final AtomicLong onReplica = new AtomicLong();
    private final AtomicLong serverErrors = new AtomicLong();
    private final AtomicInteger requests = new AtomicInteger();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private RoutingConnectionFactory factory;
    private HttpHandler application;
    private IncomingTokens tokens;

    HostileRequestsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .sampling(PROBED_EVERY, Duration.ofMillis(2))
                .listener(this::decided);
        for (PostgresServer server : cluster.servers()) {
            builder.server("db" + server.number(), server.r2dbcUrl());
        }
        factory = builder.build();
        Requests.run(factory.ready(Duration.ofSeconds(20)));
        tokens = IncomingTokens.of(Requests.CODEC, factory);
        DatabaseClient database = DatabaseClient.create(factory);
        application = WebHttpHandlerBuilder.webHandler(exchange -> answer(exchange, database))
                .filter(new CausalTokenWebFilter(tokens, TokenTransport.DEFAULT, 0))
                .build();
        log.start();
        root().addAppender(log);
    }

    @AfterEach
    void close() {
        root().detachAppender(log);
        Requests.run(factory.close());
    }

    @Test
    void areAnsweredLikeEverybodyAndCostNoMore() {
        WalPosition now = (WalPosition) Objects.requireNonNull(factory.capture().block(Duration.ofSeconds(10)))
                .positions()
                .get(0);
        cluster.awaitReplayed();
        String valid =
                Requests.CODEC.encode(Objects.requireNonNull(factory.capture().block(Duration.ofSeconds(10))));
        HostileTexts hostile = new HostileTexts(42, now);
        send(SLICE, () -> valid);
        send(SLICE, hostile::next);
        CausalSession honest = CausalSession.resume(Requests.token(valid));
        await().until(() -> factory.explain(Routing.read(), honest).role() == ServerRole.REPLICA);
        onPrimary.set(0);
        onReplica.set(0);
        long before = refused();
        double[] ratios = new double[SLICES];
        double honestRate = 0;
        double hostileRate = 0;

        Usage honestly = new Usage();
        Usage hostilely = new Usage();
        for (int i = 0; i < SLICES; i++) {
            // who goes first alternates, so that neither gets the better half of what the machine does besides
            if (i % 2 == 0) {
                honestRate = honestly.of(() -> send(SLICE, () -> valid));
            }
            hostileRate = hostilely.of(() -> send(SLICE, hostile::next));
            if (i % 2 != 0) {
                honestRate = honestly.of(() -> send(SLICE, () -> valid));
            }
            ratios[i] = hostileRate / honestRate;
        }

        Arrays.sort(ratios);
        System.out.printf(
                "hostile tokens: %d, at %.2f of the rate of valid ones (median of %d pairs, %.2f to %.2f); reads on"
                        + " replicas %d, on the primary %d; commits of the primary %d in %.1f s, with valid ones %d in"
                        + " %.1f s%n",
                SLICES * SLICE,
                ratios[SLICES / 2],
                SLICES,
                ratios[0],
                ratios[SLICES - 1],
                onReplica.get(),
                onPrimary.get(),
                hostilely.commits,
                hostilely.seconds,
                honestly.commits,
                honestly.seconds);
        assertThat(serverErrors).as("answers with 5xx").hasValue(0);
        assertThat(onPrimary).as("reads that the primary served").hasValue(0);
        assertThat(onReplica).hasValueGreaterThan(SLICES * SLICE / READ_EVERY);
        assertThat(refused() - before).as("texts that were refused").isGreaterThan(SLICES * SLICE / 2);
        assertThat(factory.rejectedPositions())
                .as("positions ahead of the primary")
                .isPositive();
        assertThat(log.list)
                .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.INFO))
                .as("what is in the log above DEBUG")
                .isEmpty();
        // the monitor's own pace, and as many again
        double probes = hostilely.seconds * 2 * 1000.0 / PROBED_EVERY.toMillis();
        assertThat((double) hostilely.commits).as("probes of the primary").isLessThan(probes + 50);
        assertThat(ratios[SLICES / 2]).as("of the rate of valid tokens").isGreaterThan(0.4);
    }

    private long refused() {
        return tokens.counted(TokenResult.MALFORMED)
                + tokens.counted(TokenResult.FORGED)
                + tokens.counted(TokenResult.EXPIRED);
    }

    /** How long something took altogether, and how much the primary had to do meanwhile. */
    private final class Usage {

        private double seconds;
        private long commits;

        /** Returns requests per second. */
        double of(Runnable body) {
            long commitsBefore = commits();
            long start = System.nanoTime();
            body.run();
            double took = (System.nanoTime() - start) / 1e9;
            seconds += took;
            commits += commits() - commitsBefore;
            return SLICE / took;
        }

        private long commits() {
            return Long.parseLong(cluster.primary()
                    .query("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"));
        }
    }

    private void send(int count, Supplier<String> texts) {
        Requests.run(Flux.range(0, count).flatMap(i -> request(texts.get()), AT_ONCE));
    }

    private Mono<Void> request(String token) {
        MockServerHttpResponse response = new MockServerHttpResponse();
        return application
                .handle(
                        MockServerHttpRequest.get("/")
                                .header(TokenTransport.NAME, token)
                                .build(),
                        response)
                .doFinally(signal -> {
                    HttpStatusCode status = response.getStatusCode();
                    if (status != null && status.is5xxServerError()) {
                        serverErrors.incrementAndGet();
                    }
                });
    }

    private Mono<Void> answer(ServerWebExchange exchange, DatabaseClient database) {
        if (requests.incrementAndGet() % READ_EVERY != 0) {
            return exchange.getResponse().setComplete();
        }
        return database.sql("SELECT 1")
                .fetch()
                .one()
                .contextWrite(Routing.read())
                .then(exchange.getResponse().setComplete());
    }

    private void decided(RouteDecision decision) {
        (decision.role() == ServerRole.REPLICA ? onReplica : onPrimary).incrementAndGet();
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
