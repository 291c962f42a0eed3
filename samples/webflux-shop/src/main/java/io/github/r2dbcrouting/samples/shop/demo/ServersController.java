package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatistics;
import io.github.r2dbcrouting.test.ClusterException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** How do the servers stand, and what shall become of them? The page's panel. */
@RestController
@RequestMapping("/demo/servers")
class ServersController {

    private static final int LONGEST_DELAY_MILLIS = 20_000;

    private final DemoServers servers;
    private final RoutingConnectionFactory router;

    /**
     * One server, as the router sees it and as the panel left it.
     *
     * @param name what router and server call it
     * @param tags its tags
     * @param role {@code primary}, {@code replica} or {@code unknown}
     * @param status whether the router uses it
     * @param lagMillis how old what it has may be; {@code null} if it is no replica, or that is not known
     * @param bytesBehind how much of the primary's log it lacks; {@code null} if that is not known
     * @param problem what keeps it from being used; {@code null} if nothing does
     * @param fault what was done to it
     */
    record Server(
            String name,
            List<String> tags,
            String role,
            String status,
            @Nullable Long lagMillis,
            @Nullable Long bytesBehind,
            @Nullable String problem,
            Fault fault) {}

    ServersController(DemoServers servers, RoutingConnectionFactory router) {
        this.servers = servers;
        this.router = router;
    }

    @GetMapping
    List<Server> all() {
        Map<String, Fault> faults = servers.faults();
        return router.table().servers().stream()
                .sorted(Comparator.comparing(ServerState::name))
                .map(state -> view(state, faults.getOrDefault(state.name(), Fault.NONE)))
                .toList();
    }

    @PostMapping("/{name}/pause")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> pause(@PathVariable String name) {
        return carryOut(() -> servers.pause(name));
    }

    @PostMapping("/{name}/delay")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> delay(@PathVariable String name, @RequestParam(defaultValue = "500") int millis) {
        if (millis < 0 || millis > LONGEST_DELAY_MILLIS) {
            return Mono.error(
                    new ResponseStatusException(HttpStatus.BAD_REQUEST, "millis must be 0 to " + LONGEST_DELAY_MILLIS));
        }
        return carryOut(() -> servers.delay(name, millis));
    }

    @PostMapping("/{name}/kill")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> kill(@PathVariable String name) {
        return carryOut(() -> servers.kill(name));
    }

    @PostMapping("/{name}/promote")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> promote(@PathVariable String name) {
        return carryOut(() -> servers.promote(name));
    }

    @PostMapping("/{name}/restore")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> restore(@PathVariable String name) {
        return carryOut(() -> servers.restore(name));
    }

    /**
     * The verbs block, so they run where that is allowed. Whoever closes the page leaves nothing half done: a verb that
     * was begun is carried out.
     */
    private static Mono<Void> carryOut(Runnable verb) {
        return Mono.fromFuture(() -> CompletableFuture.runAsync(verb, Schedulers.boundedElastic()::schedule), true)
                .onErrorMap(IllegalArgumentException.class, refused -> problem(HttpStatus.NOT_FOUND, refused))
                .onErrorMap(IllegalStateException.class, refused -> problem(HttpStatus.CONFLICT, refused))
                .onErrorMap(ClusterException.class, failed -> problem(HttpStatus.INTERNAL_SERVER_ERROR, failed));
    }

    private static ResponseStatusException problem(HttpStatus status, RuntimeException cause) {
        return new ResponseStatusException(status, cause.getMessage(), cause);
    }

    private Server view(ServerState state, Fault fault) {
        ServerStatistics statistics = router.statistics(state);
        Duration staleness = statistics.staleness();
        return new Server(
                state.name(),
                state.tags(),
                state.role().name().toLowerCase(Locale.ROOT),
                state.status().name().toLowerCase(Locale.ROOT),
                staleness == null ? null : staleness.toMillis(),
                statistics.bytesBehind().isPresent() ? statistics.bytesBehind().getAsLong() : null,
                state.problem(),
                fault);
    }
}
