package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import reactor.core.publisher.Mono;

/**
 * Why did one read go where it went?
 *
 * @param situation what was asked, and when
 * @param decision what the router says it would do
 */
record Explanation(String situation, RouteDecision decision) {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    /** Lets one more user write, and asks the router three times where that user's next read would go. */
    static List<Explanation> of(RoutingConnectionFactory router, long user) {
        CausalSession session = CausalSession.create();
        Mono<RouteDecision> read = Mono.fromSupplier(() -> router.explain(Routing.read(), session));

        RouteDecision atOnce =
                await(new Profiles(router).save(user, 1).then(read).contextWrite(Routing.session(session)));
        long written = System.nanoTime();
        RouteDecision later = await(read.filter(decision -> decision.role() == ServerRole.REPLICA)
                .repeatWhenEmpty(asked -> asked.delayElements(Duration.ofMillis(1))));
        long millis = (System.nanoTime() - written) / 1_000_000;
        RouteDecision latest = router.explain(Routing.read().freshness(Freshness.latest()), session);

        return List.of(
                new Explanation("A read in the moment after the session's write:", atOnce),
                new Explanation("The same read, " + millis + " ms after the write:", later),
                new Explanation("A read that asks for the latest, whoever wrote it:", latest));
    }

    /** Returns the explanation for people. */
    List<String> lines() {
        StringBuilder others = new StringBuilder();
        for (RouteDecision.Candidate candidate : decision.candidates()) {
            if (!candidate.server().equals(decision.server())) {
                others.append(others.isEmpty() ? "" : "; ").append(candidate);
            }
        }
        return List.of(
                "  " + situation,
                "    -> " + decision.server() + ": " + decision.reason().text(),
                "       " + others);
    }

    private static RouteDecision await(Mono<RouteDecision> decision) {
        return Objects.requireNonNull(decision.block(LIMIT));
    }
}
