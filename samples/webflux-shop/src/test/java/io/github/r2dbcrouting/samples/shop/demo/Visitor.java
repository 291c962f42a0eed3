package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.samples.shop.store.Note;
import io.github.r2dbcrouting.webflux.http.TokenKeeper;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.test.web.reactive.server.EntityExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;

/** A customer with a browser, or a service that acts for one. */
final class Visitor {

    private final String name;
    private final @Nullable TokenKeeper tokens;

    Visitor(String name, @Nullable TokenKeeper tokens) {
        this.name = name;
        this.tokens = tokens;
    }

    WebTestClient at(RunningShop shop) {
        WebTestClient.Builder client = WebTestClient.bindToServer()
                .baseUrl(shop.url())
                .responseTimeout(Duration.ofSeconds(30))
                .defaultCookie("Customer", name);
        return (tokens == null ? client : client.filter(tokens)).build();
    }

    long save(RunningShop shop, String text) {
        Map<?, ?> saved = Objects.requireNonNull(at(shop).put()
                .uri("/api/note")
                .bodyValue(Map.of("text", text))
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(Map.class)
                .returnResult()
                .getResponseBody());
        return ((Number) saved.get("revision")).longValue();
    }

    Note note(RunningShop shop) {
        return body(shop, HttpMethod.GET, "/api/note", Note.class);
    }

    long order(RunningShop shop, int product, int quantity) {
        status(shop, HttpMethod.PUT, "/api/cart/" + product + "?quantity=" + quantity, 204);
        return id(shop);
    }

    private long id(RunningShop shop) {
        Map<?, ?> placed = Objects.requireNonNull(at(shop).post()
                .uri("/api/orders")
                .exchange()
                .expectStatus()
                .isCreated()
                .expectBody(Map.class)
                .returnResult()
                .getResponseBody());
        return ((Number) placed.get("id")).longValue();
    }

    <T> T body(RunningShop shop, HttpMethod method, String path, Class<T> type) {
        return Objects.requireNonNull(at(shop).method(method)
                .uri(path)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(type)
                .returnResult()
                .getResponseBody());
    }

    void status(RunningShop shop, HttpMethod method, String path, int expected) {
        at(shop).method(method).uri(path).exchange().expectStatus().isEqualTo(expected);
    }

    /** Who served, by the headers: {@code server1 replica}, for example. */
    List<String> servedBy(RunningShop shop, String path) {
        EntityExchangeResult<byte[]> answer = at(shop).get()
                .uri(path)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .returnResult();
        List<String> headers = answer.getResponseHeaders().getOrEmpty("Served-By");
        assertThat(headers).as(path).isNotEmpty();
        return headers.stream()
                .map(header -> header.replaceAll("^([^;]+); role=(\\w+);.*$", "$1 $2"))
                .toList();
    }
}
