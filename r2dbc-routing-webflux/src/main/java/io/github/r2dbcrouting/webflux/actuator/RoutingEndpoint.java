package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.TokenCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.http.MediaType;
import org.springframework.util.MimeTypeUtils;
import reactor.core.publisher.Mono;

/**
 * How does the router stand, what would it decide, and what shall be different?
 *
 * <p>The actuator's endpoint {@code r2dbcrouting}. It tells no address and no credentials, and changes nothing unless
 * {@code management.endpoint.r2dbcrouting.access} is {@code unrestricted}. Its paths, below its own:
 *
 * <ul>
 *   <li>{@code GET} of it: the table, policies, sources, counters, decisions and events;
 *   <li>{@code GET explain}: what would be decided for a question;
 *   <li>{@code GET dashboard}: a page, and {@code GET stream}: what that is told;
 *   <li>{@code POST policies/name}, {@code POST servers/name}: changes.
 * </ul>
 *
 * @since 0.1.0
 */
@WebEndpoint(id = RoutingEndpoint.ID, defaultAccess = Access.READ_ONLY)
public final class RoutingEndpoint {

    /** What the endpoint is called. */
    static final String ID = "r2dbcrouting";

    /** The page. */
    static final String DASHBOARD = "dashboard";

    private static final String STREAM = "stream";
    private static final String EXPLAIN = "explain";
    private static final int NO_CONTENT = 204;

    private final RoutingConnectionFactory factory;
    private final RouterView view;
    private final Change change;
    private final Watch watch;
    private final DashboardPage page;
    private final @Nullable TokenCodec codec;

    RoutingEndpoint(RoutingConnectionFactory factory, Watch watch, DashboardPage page, @Nullable TokenCodec codec) {
        this.factory = factory;
        this.view = new RouterView(factory);
        this.change = new Change(factory);
        this.watch = watch;
        this.page = page;
        this.codec = codec;
    }

    /**
     * Tells how the router stands. Decisions are heard from the first such question on, until nobody has asked for 30 s.
     *
     * @return the report
     */
    @ReadOperation
    public Mono<WebEndpointResponse<Object>> report() {
        return Mono.fromSupplier(() -> {
            RoutingTable table = view.table();
            List<RouterReport.Event> newestFirst = new ArrayList<>(watch.events());
            Collections.reverse(newestFirst);
            RouterReport report = new RouterReport(
                    table.cluster(),
                    table.version(),
                    RouterView.primary(table),
                    view.servers(table),
                    view.policies(),
                    view.sources(),
                    view.counters(),
                    watch.glance(),
                    newestFirst);
            return json(report, WebEndpointResponse.STATUS_OK);
        });
    }

    /**
     * Tells one thing.
     *
     * @param part {@code explain}, {@code dashboard} or {@code stream}
     * @param intent for {@code explain}: {@code read} or {@code write}
     * @param freshness for {@code explain}: {@code any}, {@code causal}, {@code latest} or how old at most
     * @param policy for {@code explain}: the name of a policy
     * @param token for {@code explain}: what must be seen
     * @return the answer; empty if there is no such part
     */
    @ReadOperation(
            produces = {MediaType.APPLICATION_JSON_VALUE, MediaType.TEXT_HTML_VALUE, MediaType.TEXT_EVENT_STREAM_VALUE})
    public Mono<WebEndpointResponse<Object>> part(
            @Selector String part,
            @Nullable String intent,
            @Nullable String freshness,
            @Nullable String policy,
            @Nullable String token) {
        return switch (part) {
            case EXPLAIN ->
                Mono.fromSupplier(() -> explained(new Question(intent, freshness, policy, token)))
                        .onErrorResume(Refused.Thrown.class, RoutingEndpoint::refused);
            case STREAM ->
                Mono.fromSupplier(() -> new WebEndpointResponse<Object>(watch.stream(), MediaType.TEXT_EVENT_STREAM));
            case DASHBOARD -> Mono.justOrEmpty(page.file(DashboardPage.INDEX)).map(RoutingEndpoint::sent);
            default -> Mono.empty();
        };
    }

    private WebEndpointResponse<Object> explained(Question question) {
        RouteDecision decision = question.ask(factory, codec);
        return json(RouterView.decision(0, Duration.ZERO, decision), WebEndpointResponse.STATUS_OK);
    }

    /**
     * Sends a file of the page.
     *
     * @param part {@code dashboard}
     * @param file its name
     * @return the file; empty if there is none of that name
     */
    @ReadOperation(produces = {"text/css", "text/javascript", "image/svg+xml"})
    public Mono<WebEndpointResponse<Object>> file(@Selector String part, @Selector String file) {
        return part.equals(DASHBOARD) ? Mono.justOrEmpty(page.file(file)).map(RoutingEndpoint::sent) : Mono.empty();
    }

    /**
     * Changes a policy or a server.
     *
     * @param kind {@code policies} or {@code servers}
     * @param name the name of a policy, or of a server
     * @param text for a policy: its rules
     * @param tags for a server: all its tags from now on, with commas between them
     * @param weight for a server: its weight
     * @param enabled for a server: {@code false} drains it, {@code true} lets it serve again
     * @return nothing, when it is so; what was wrong, if it cannot be
     */
    @WriteOperation
    public Mono<WebEndpointResponse<Object>> change(
            @Selector String kind,
            @Selector String name,
            @Nullable String text,
            @Nullable String tags,
            @Nullable String weight,
            @Nullable String enabled) {
        Mono<Void> made = switch (kind) {
            case "policies" -> change.policy(name, text);
            case "servers" -> change.server(name, tags, weight, enabled);
            default ->
                Mono.error(
                        Refused.missing("path", "nothing can be changed under '" + kind + "'", "policies or servers"));
        };
        return made.then(Mono.fromSupplier(() -> new WebEndpointResponse<Object>(NO_CONTENT)))
                .onErrorResume(Refused.Thrown.class, RoutingEndpoint::refused);
    }

    private static Mono<WebEndpointResponse<Object>> refused(Refused.Thrown refused) {
        return Mono.just(json(refused.refused(), refused.status()));
    }

    private static WebEndpointResponse<Object> json(Object body, int status) {
        return new WebEndpointResponse<>(Json.bytes(body), status, MimeTypeUtils.APPLICATION_JSON);
    }

    private static WebEndpointResponse<Object> sent(DashboardPage.File file) {
        return new WebEndpointResponse<>(file.content(), file.type());
    }
}
