package io.github.r2dbcrouting.webflux.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.RedisTokenStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import reactor.core.publisher.Flux;
import redis.embedded.RedisServer;

/** What was written at one instance is seen through the other at once, while no replica has it. */
@PostgresClusterTest(replicas = 2)
class SideBySideIT {

    private static final ExchangeFilterFunction NOBODY = (request, next) -> next.exchange(request);

    private static RedisServer redis;
    private static LettuceConnectionFactory connections;
    private static ReactiveStringRedisTemplate template;

    private final PostgresCluster cluster;
    private Instance here;
    private Instance there;

    SideBySideIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeAll
    static void startRedis() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        redis = RedisServer.newRedisServer()
                .bind("127.0.0.1")
                .port(port)
                .setting("save \"\"")
                .build();
        redis.start();
        connections = new LettuceConnectionFactory("127.0.0.1", port);
        // else the first request would open the connection, and wait for it on an event loop
        connections.setEagerInitialization(true);
        connections.afterPropertiesSet();
        connections.start();
        template = new ReactiveStringRedisTemplate(connections);
    }

    @AfterAll
    static void stopRedis() throws IOException {
        connections.destroy();
        redis.stop();
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private void open() {
        here = new Instance(cluster);
        there = new Instance(cluster);
        pause();
    }

    private void pause() {
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
    }

    @Test
    void byHeaderAndByCookie() {
        open();
        TokenKeeper service = TokenKeeper.byHeader();
        TokenKeeper browser = TokenKeeper.byCookie();

        write(here.client(service), 1);
        write(here.client(browser), 2);
        for (int i = 0; i < 10; i++) {
            assertThat(read(there.client(service), 1)).isOne();
            assertThat(read(there.client(browser), 2)).isOne();
        }
        assertThat(read(there.client(NOBODY), 1))
                .as("without a token, which shows that no replica has it")
                .isZero();
        cluster.replica(0).resumeReplay();
        cluster.replica(1).resumeReplay();
        cluster.awaitReplayed();
        assertThat(read(there.client(NOBODY), 1)).isOne();
    }

    @Test
    void alsoIfTheRequestThatWroteItFailed() {
        open();
        TokenKeeper browser = TokenKeeper.byCookie();

        here.client(browser).post().uri("/broken/1").exchange().expectStatus().is5xxServerError();

        assertThat(read(there.client(browser), 1)).isOne();
    }

    @Test
    void byWebClient() {
        open();

        assertThat(post(here.client(NOBODY), "/there/" + there.port() + "/1"))
                .as("written here, read there")
                .isOne();
        assertThat(post(here.client(NOBODY), "/back/" + there.port() + "/2"))
                .as("written there, read here")
                .isOne();
        TokenKeeper browser = TokenKeeper.byCookie();
        post(here.client(browser), "/back/" + there.port() + "/3");
        assertThat(read(here.client(browser), 3)).isOne();
    }

    @Test
    void byRedis() {
        List<Class<?>> users = List.of(Instance.Users.class);
        Map<String, Object> store = Map.of("reactiveStringRedisTemplate", template);
        String[] properties = {
            "r2dbc.routing.tokens.store.type=redis",
            // the first connection takes its time on a busy machine
            "r2dbc.routing.tokens.limit=10s",
            "r2dbc.routing.tokens.header.enabled=false",
            "r2dbc.routing.tokens.cookie.enabled=false"
        };
        here = new Instance(cluster, users, store, properties);
        there = new Instance(cluster, users, store, properties);
        pause();

        write(here.client(user("one")), 1);

        assertThat(read(there.client(user("one")), 1)).isOne();
        assertThat(read(there.client(user("other")), 1)).isZero();
    }

    @Test
    void redisKeepsWhatAllInstancesAddedAtTheSameTime() {
        here = new Instance(cluster);
        there = here;
        IncomingTokens tokens = Requests.tokens();
        RedisTokenStore store = new RedisTokenStore(template, tokens, "test:", Duration.ofHours(1));

        Requests.run(Flux.fromStream(LongStream.rangeClosed(1, 8).boxed())
                .flatMap(i -> store.merge("all", CausalToken.parse("1~pg." + i + ".1.ff")), 8));

        CausalToken kept = Objects.requireNonNull(store.find("all").block(Duration.ofSeconds(10)));
        assertThat(kept.positions()).hasSize(8);
        assertThat(template.getExpire("test:all").block(Duration.ofSeconds(10)))
                .isBetween(Duration.ofMinutes(50), Duration.ofHours(1));
        Requests.run(store.replace("all", CausalToken.parse("1~pg.8.1.ff"), CausalToken.parse("1~pg.8.2.ff")));
        CausalToken replaced = Objects.requireNonNull(store.find("all").block(Duration.ofSeconds(10)));
        assertThat(replaced.positions())
                .hasSize(8)
                .doesNotContainAnyElementsOf(CausalToken.parse("1~pg.8.1.ff").positions());
        Requests.run(template.opsForValue().set("test:forged", "1~pg.7.1.ff"));
        assertThat(store.find("forged").blockOptional(Duration.ofSeconds(10))).isEmpty();
        Requests.run(store.merge("forged", CausalToken.parse("1~pg.7.1.1")));
        assertThat(store.find("forged").block(Duration.ofSeconds(10))).isEqualTo(CausalToken.parse("1~pg.7.1.1"));
    }

    private static ExchangeFilterFunction user(String name) {
        return (request, next) -> next.exchange(
                ClientRequest.from(request).header(Instance.USER, name).build());
    }

    private static void write(WebTestClient client, int id) {
        client.post().uri("/notes/" + id).exchange().expectStatus().isNoContent();
    }

    private static long read(WebTestClient client, int id) {
        return Objects.requireNonNull(client.get()
                .uri("/notes/" + id)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(Long.class)
                .returnResult()
                .getResponseBody());
    }

    private static long post(WebTestClient client, String uri) {
        return Objects.requireNonNull(client.post()
                .uri(uri)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(Long.class)
                .returnResult()
                .getResponseBody());
    }
}
