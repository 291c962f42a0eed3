package io.github.r2dbcrouting.samples.shop.store;

import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpCookie;
import org.springframework.http.ResponseCookie;
import org.springframework.stereotype.Component;
import org.springframework.util.AlternativeJdkIdGenerator;
import org.springframework.util.IdGenerator;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** Who is shopping? A real shop would have a login here; this one gives every newcomer a number, in a cookie. */
@Component
class Customer implements WebFilter {

    static final String ATTRIBUTE = "customer";

    static final String COOKIE = "Customer";

    private static final Pattern NUMBER = Pattern.compile("[A-Za-z0-9-]{1,40}");

    /** Unlike that of the JDK it reads the system's random source only once, since that may block. */
    private final IdGenerator numbers = new AlternativeJdkIdGenerator();

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        if (!exchange.getRequest().getPath().pathWithinApplication().value().startsWith("/api/")) {
            return chain.filter(exchange);
        }
        String known = known(exchange.getRequest().getCookies().getFirst(COOKIE));
        String customer = known == null ? numbers.generateId().toString() : known;
        if (known == null) {
            exchange.getResponse()
                    .addCookie(ResponseCookie.from(COOKIE, customer)
                            .path("/")
                            .httpOnly(true)
                            .sameSite("Lax")
                            .maxAge(Duration.ofDays(1))
                            .build());
        }
        exchange.getAttributes().put(ATTRIBUTE, customer);
        return chain.filter(exchange);
    }

    private static @Nullable String known(@Nullable HttpCookie cookie) {
        return cookie != null && NUMBER.matcher(cookie.getValue()).matches() ? cookie.getValue() : null;
    }
}
