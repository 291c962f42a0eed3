package io.github.r2dbcrouting.samples.shop.store;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Which servers served a request, and why? Said in the answer's header {@code Served-By}, once for each decision, in
 * their order, for whoever wants to watch.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 200)
class ServedBy implements WebFilter {

    static final String HEADER = "Served-By";

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        Queue<String> decisions = new ConcurrentLinkedQueue<>();
        exchange.getResponse()
                .beforeCommit(() -> Mono.fromRunnable(() -> decisions.forEach(
                        decision -> exchange.getResponse().getHeaders().add(HEADER, decision))));
        return chain.filter(exchange).contextWrite(Routing.listener(decision -> decisions.add(text(decision))));
    }

    private static String text(RouteDecision decision) {
        return "%s; role=%s; waited=%d; reason=\"%s\""
                .formatted(
                        decision.server() == null ? "nobody" : decision.server(),
                        decision.role().name().toLowerCase(Locale.ROOT),
                        decision.waited().toMillis(),
                        decision.reason().text());
    }
}
