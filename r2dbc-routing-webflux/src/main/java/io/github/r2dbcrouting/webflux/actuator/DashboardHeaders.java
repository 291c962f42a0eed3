package io.github.r2dbcrouting.webflux.actuator;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * What may the page do, and who may keep it? An endpoint's answer cannot say that itself: it has no headers of its own.
 */
final class DashboardHeaders implements WebFilter {

    /** Its own files and its own stream, and nothing else; not within another page. */
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final Supplier<@Nullable String> path;
    private volatile @Nullable String known;

    /**
     * Creates a filter.
     *
     * @param path returns the endpoint's path within the application, without a slash at its end, or {@code null} if it
     *     has none; asked until it has one
     */
    DashboardHeaders(Supplier<@Nullable String> path) {
        this.path = path;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        String own = path();
        String asked = exchange.getRequest().getPath().pathWithinApplication().value();
        if (own != null && asked.startsWith(own) && asked.startsWith("/", own.length())) {
            ServerHttpResponse response = exchange.getResponse();
            response.beforeCommit(() -> Mono.fromRunnable(() -> {
                HttpHeaders headers = response.getHeaders();
                headers.set("Content-Security-Policy", POLICY);
                headers.set("X-Content-Type-Options", "nosniff");
                headers.set("Referrer-Policy", "no-referrer");
                headers.setCacheControl("no-store");
                // a proxy that gathers a stream would show it late, or never
                headers.set("X-Accel-Buffering", "no");
            }));
        }
        return chain.filter(exchange);
    }

    private @Nullable String path() {
        String own = known;
        if (own == null) {
            own = path.get();
            known = own;
        }
        return own;
    }
}
