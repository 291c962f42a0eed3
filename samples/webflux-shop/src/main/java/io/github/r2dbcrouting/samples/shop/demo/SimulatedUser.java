package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.samples.shop.store.Note;
import io.github.r2dbcrouting.webflux.http.TokenKeeper;
import java.time.Duration;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import reactor.core.publisher.Mono;

/** What does a user do? Saves a note and looks at it, over HTTP and with the cookies of a browser of its own. */
final class SimulatedUser {

    /** What a browser takes to follow a redirect, on a good day. */
    private static final Duration REDIRECT = Duration.ofMillis(5);

    private final WebClient client;
    private final Tally tally;

    /** What the shop answers to a write. */
    private record Saved(long revision) {}

    SimulatedUser(WebClient.Builder builder, String url, String name, Tally tally) {
        this.client = builder.clone()
                .baseUrl(url)
                .defaultCookie("Customer", name)
                .filter(TokenKeeper.byCookie())
                .build();
        this.tally = tally;
    }

    WebClient client() {
        return client;
    }

    /**
     * Saves once and reads back once.
     *
     * @return completes when both were counted; never errors
     */
    Mono<Void> saveAndReadBack() {
        return save().delayElement(REDIRECT).flatMap(this::readBack).onErrorResume(this::count);
    }

    private Mono<Saved> save() {
        return client.put()
                .uri("/api/note")
                .bodyValue(Map.of("text", "Please ring twice."))
                .retrieve()
                .bodyToMono(Saved.class)
                .doOnNext(saved -> tally.wrote());
    }

    private Mono<Void> readBack(Saved saved) {
        return client.get()
                .uri("/api/note")
                .retrieve()
                .bodyToMono(Note.class)
                .doOnNext(note -> tally.read(note.server(), note.replica(), note.revision() < saved.revision()))
                .then();
    }

    private Mono<Void> count(Throwable failure) {
        if (failure instanceof WebClientResponseException answer && answer.getStatusCode() == HttpStatus.CONFLICT) {
            tally.possiblyLost();
        } else {
            tally.failed();
        }
        return Mono.empty();
    }
}
