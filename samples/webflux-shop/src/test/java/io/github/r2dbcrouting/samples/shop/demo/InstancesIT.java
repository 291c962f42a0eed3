package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.webflux.http.TokenKeeper;
import io.github.r2dbcrouting.webflux.http.TokenKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpMethod;
import reactor.core.publisher.Mono;
import redis.embedded.RedisServer;

/** Two instances of the shop: what was written at one is seen through the other at once, while no replica has it. */
@ExtendWith(SharedServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InstancesIT {

    private static final String KEY = "--r2dbc.routing.tokens.keys=k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private final DemoServers servers;
    private final List<RunningShop> instances = new ArrayList<>();
    private @Nullable RedisServer redis;
    private RunningShop there;
    private RunningShop here;

    InstancesIT(DemoServers servers) {
        this.servers = servers;
    }

    @BeforeAll
    void open() {
        there = open(new Class<?>[0]);
        here = open(new Class<?>[0], "--shop.warehouse=" + there.url());
        servers.cluster().awaitReplayed();
    }

    /** All at the end: the first one that is closed takes along the event loops of the others in this process. */
    @AfterAll
    void close() throws IOException {
        instances.forEach(RunningShop::close);
        if (redis != null) {
            redis.stop();
        }
    }

    @BeforeEach
    void pause() {
        servers.cluster().replicas().forEach(replica -> replica.pauseReplay());
    }

    @AfterEach
    void resume() {
        servers.cluster().replicas().forEach(replica -> replica.resumeReplay());
        servers.cluster().awaitReplayed();
    }

    @Test
    void byHeader() {
        isSeen(new Visitor("service", TokenKeeper.byHeader()));
    }

    @Test
    void byCookie() {
        isSeen(new Visitor("browser", TokenKeeper.byCookie()));
    }

    private void isSeen(Visitor visitor) {
        long saved = visitor.save(here, "written here");
        for (int i = 0; i < 5; i++) {
            assertThat(visitor.note(there).revision()).isEqualTo(saved);
        }
        long again = visitor.save(there, "and there");
        assertThat(visitor.note(here).revision()).isEqualTo(again);
    }

    @Test
    void withoutATokenItIsNot() {
        Visitor forgetful = new Visitor("forgetful", null);

        long saved = forgetful.save(here, "written here");

        assertThat(saved).isOne();
        assertThat(forgetful.note(there).revision())
                .as("which shows that no replica has it")
                .isZero();
    }

    @Test
    void byWebClientFromInstanceToInstanceAndBack() {
        Visitor buyer = new Visitor("buyer", TokenKeeper.byCookie());
        long id = buyer.order(here, 1, 1);

        // placed here, packed there, and seen as packed here
        buyer.status(here, HttpMethod.POST, "/api/orders/" + id + "/shipment", 200);

        assertThat(buyer.body(here, HttpMethod.GET, "/api/orders/" + id, String.class))
                .contains("\"status\":\"packed\"");
        new Visitor("stranger", null).status(there, HttpMethod.POST, "/warehouse/orders/" + id + "/pick-list", 404);
    }

    @Test
    void byRedis() throws IOException {
        int port = freePort();
        redis = RedisServer.newRedisServer()
                .bind("127.0.0.1")
                .port(port)
                .setting("save \"\"")
                .build();
        redis.start();
        resume();
        RunningShop one = withRedis(port);
        RunningShop other = withRedis(port);
        pause();
        Visitor carriesNothing = new Visitor("one", null);

        long saved = carriesNothing.save(one, "written here");

        assertThat(carriesNothing.note(other).revision()).isEqualTo(saved);
        assertThat(carriesNothing.note(there).revision())
                .as("at an instance that does not know the store")
                .isZero();
    }

    private RunningShop withRedis(int port) {
        return open(
                new Class<?>[] {Redis.class},
                "--redis.port=" + port,
                "--r2dbc.routing.tokens.store.type=redis",
                // the first connection takes its time on a busy machine
                "--r2dbc.routing.tokens.limit=10s",
                "--r2dbc.routing.tokens.header.enabled=false",
                "--r2dbc.routing.tokens.cookie.enabled=false");
    }

    private RunningShop open(Class<?>[] more, String... arguments) {
        RunningShop opened = RunningShop.start(
                servers,
                more,
                Stream.concat(Stream.of(KEY, "--server.port=0"), Stream.of(arguments))
                        .toArray(String[]::new));
        instances.add(opened);
        return opened;
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    /** What Boot's module for Redis would bring, and whose a request is. */
    static class Redis {

        @Bean
        LettuceConnectionFactory redisConnections(Environment environment) {
            LettuceConnectionFactory connections =
                    new LettuceConnectionFactory("127.0.0.1", environment.getRequiredProperty("redis.port", int.class));
            // else the first request would open the connection, and wait for it on an event loop
            connections.setEagerInitialization(true);
            return connections;
        }

        @Bean
        ReactiveStringRedisTemplate reactiveStringRedisTemplate(LettuceConnectionFactory connections) {
            return new ReactiveStringRedisTemplate(connections);
        }

        @Bean
        TokenKey customerKey() {
            return exchange -> {
                HttpCookie cookie = exchange.getRequest().getCookies().getFirst("Customer");
                return Mono.justOrEmpty(cookie).map(HttpCookie::getValue);
            };
        }
    }
}
