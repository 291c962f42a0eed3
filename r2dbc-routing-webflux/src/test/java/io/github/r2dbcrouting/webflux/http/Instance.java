package io.github.r2dbcrouting.webflux.http;

import static org.springframework.web.reactive.function.server.RouterFunctions.route;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import reactor.core.publisher.Mono;

/** A small application with a router of its own, of which several may run. */
final class Instance implements AutoCloseable {

    static final String USER = "User";

    private static final String KEY = "r2dbc.routing.tokens.keys=k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private final ConfigurableApplicationContext application;

    Instance(PostgresCluster cluster) {
        this(cluster, List.of(), Map.of());
    }

    /** Starts one with more configuration, and with beans that are there already and are not closed with it. */
    Instance(PostgresCluster cluster, List<Class<?>> more, Map<String, Object> beans, String... properties) {
        List<String> all = new ArrayList<>(List.of(
                KEY,
                "server.port=0",
                "spring.main.banner-mode=off",
                "r2dbc.routing.tokens.web-client.hosts=localhost"));
        for (PostgresServer server : cluster.servers()) {
            all.add("r2dbc.routing.servers.db" + server.number() + ".url=" + server.r2dbcUrl());
        }
        all.addAll(Arrays.asList(properties));
        List<Class<?>> sources = new ArrayList<>(more);
        sources.add(Application.class);
        SpringApplication spring = new SpringApplication(sources.toArray(Class<?>[]::new));
        spring.setWebApplicationType(WebApplicationType.REACTIVE);
        spring.setRegisterShutdownHook(false);
        spring.addInitializers(context -> beans.forEach(context.getBeanFactory()::registerSingleton));
        application = spring.run(all.stream().map(property -> "--" + property).toArray(String[]::new));
        Requests.run(application.getBean(RoutingConnectionFactory.class).ready(Duration.ofSeconds(20)));
    }

    int port() {
        return Integer.parseInt(
                Objects.requireNonNull(application.getEnvironment().getProperty("local.server.port")));
    }

    RoutingConnectionFactory factory() {
        return application.getBean(RoutingConnectionFactory.class);
    }

    WebTestClient client(ExchangeFilterFunction filter) {
        return WebTestClient.bindToServer()
                .baseUrl("http://localhost:" + port())
                .responseTimeout(Duration.ofSeconds(30))
                .filter(filter)
                .build();
    }

    @Override
    public void close() {
        application.close();
    }

    /** Writes notes and reads them, itself and through another instance. */
    @EnableAutoConfiguration
    static class Application {

        @Bean
        RouterFunction<ServerResponse> routes(DatabaseClient database, WebClient.Builder builder) {
            WebClient others = builder.build();
            return route().POST(
                            "/notes/{id}",
                            request -> write(database, request)
                                    .then(ServerResponse.noContent().build()))
                    .POST(
                            "/broken/{id}",
                            request -> write(database, request)
                                    .then(Mono.error(new IllegalStateException("after the write"))))
                    .GET("/notes/{id}", request -> ServerResponse.ok().body(read(database, request), Long.class))
                    // writes here, and lets the other one read
                    .POST(
                            "/there/{port}/{id}",
                            request -> write(database, request)
                                    .then(ServerResponse.ok()
                                            .body(
                                                    others.get()
                                                            .uri(url(request))
                                                            .retrieve()
                                                            .bodyToMono(Long.class),
                                                    Long.class)))
                    // lets the other one write, and reads here
                    .POST(
                            "/back/{port}/{id}",
                            request -> others.post()
                                    .uri(url(request))
                                    .retrieve()
                                    .toBodilessEntity()
                                    .then(ServerResponse.ok().body(read(database, request), Long.class)))
                    .build();
        }

        private static String url(ServerRequest request) {
            return "http://localhost:" + request.pathVariable("port") + "/notes/" + request.pathVariable("id");
        }

        private static Mono<Long> write(DatabaseClient database, ServerRequest request) {
            return database.sql("INSERT INTO note VALUES ($1)")
                    .bind(0, Integer.valueOf(request.pathVariable("id")))
                    .fetch()
                    .rowsUpdated();
        }

        private static Mono<Long> read(DatabaseClient database, ServerRequest request) {
            return database.sql("SELECT count(*) FROM note WHERE id = $1")
                    .bind(0, Integer.valueOf(request.pathVariable("id")))
                    .mapValue(Long.class)
                    .one();
        }
    }

    /** Whose a request is. */
    static class Users {

        @Bean
        TokenKey user() {
            return exchange ->
                    Mono.justOrEmpty(exchange.getRequest().getHeaders().getFirst(USER));
        }
    }
}
