package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

/**
 * Who packs orders? Another service, asked over HTTP: another instance of this application where {@code shop.warehouse}
 * names one, else this one itself. The client sends the session's token along and takes in that of the answer; nothing
 * here has to think of it.
 */
@Component
class Warehouse {

    private final WebClient client;
    private final Environment environment;
    private final String url;

    Warehouse(WebClient.Builder client, Environment environment, @Value("${shop.warehouse:}") String url) {
        this.client = client.build();
        this.environment = environment;
        this.url = url;
    }

    Mono<PickList> pack(long orderId) {
        return client.post()
                .uri(base() + "/warehouse/orders/{id}/pick-list", orderId)
                .retrieve()
                .bodyToMono(PickList.class);
    }

    /** The port is known only once the server listens. */
    private String base() {
        return url.isEmpty() ? "http://localhost:" + environment.getProperty("local.server.port") : url;
    }
}
