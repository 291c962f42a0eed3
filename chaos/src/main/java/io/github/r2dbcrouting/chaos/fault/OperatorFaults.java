package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/** What operators change while requests run. */
final class OperatorFaults {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String DEFAULT = "all();";
    private static final List<String> POLICIES =
            List.of("tags(odd)->min(2); all();", "tags(even); tags(odd);", "all()->min(3); tags(odd); halt();");

    private OperatorFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("server removed and added", Lane.APPLICATIONS, OperatorFaults::removed),
                new Fault("server disabled and enabled", Lane.APPLICATIONS, OperatorFaults::disabled),
                new Fault("servers re-tagged", Lane.APPLICATIONS, OperatorFaults::retagged),
                new Fault("policy replaced", Lane.APPLICATIONS, OperatorFaults::policy));
    }

    private static void removed(Target target) throws Exception {
        PostgresServer server = target.anyReplica();
        RoutingConnectionFactory router = target.any(target.routers());
        run(router.topology().remove(Target.name(server)));
        try {
            target.pause(300, 2000);
        } finally {
            run(router.topology()
                    .add(
                            Target.name(server),
                            server.r2dbcUrl(),
                            spec -> spec.tags(server.number() % 2 == 0 ? "even" : "odd")));
        }
    }

    private static void disabled(Target target) throws Exception {
        String name = Target.name(target.anyReplica());
        RoutingConnectionFactory router = target.any(target.routers());
        run(router.topology().disable(name));
        try {
            target.pause(300, 2000);
        } finally {
            run(router.topology().enable(name));
        }
    }

    private static void retagged(Target target) throws Exception {
        for (int i = 0; i < 6; i++) {
            PostgresServer server = target.anyServer();
            for (RoutingConnectionFactory router : target.routers()) {
                run(router.topology().tags(Target.name(server), target.random().nextBoolean() ? "even" : "odd"));
            }
            target.pause(50, 300);
        }
    }

    private static void policy(Target target) throws Exception {
        try {
            for (int i = 0; i < 6; i++) {
                String policy = target.any(POLICIES);
                target.routers().forEach(router -> router.replacePolicy("default", policy));
                target.pause(50, 400);
            }
        } finally {
            target.routers().forEach(router -> router.replacePolicy("default", DEFAULT));
        }
    }

    private static void run(Mono<Void> change) {
        var unused = change.block(LIMIT);
    }
}
