package io.github.r2dbcrouting.webflux.actuator;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;
import reactor.core.publisher.Mono;

/**
 * What may the page do, and who may keep it? An endpoint's answer cannot say that itself: it has no headers of its own.
 */
final class DashboardHeaders implements WebFilter {

    /** Its own files and its own stream, and nothing else; not within another page. */
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final Supplier<@Nullable String> path;
    private volatile @Nullable PathPattern known;

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
        PathPattern own = below();
        if (own != null && own.matches(exchange.getRequest().getPath().pathWithinApplication())) {
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

    /** A pattern, as the endpoint's own mappings have: what is found in spite of parameters or an encoding is matched. */
    private @Nullable PathPattern below() {
        PathPattern own = known;
        String found = own == null ? path.get() : null;
        if (found != null) {
            own = PathPatternParser.defaultInstance.parse(found + "/*/**");
            known = own;
        }
        return own;
    }
}
