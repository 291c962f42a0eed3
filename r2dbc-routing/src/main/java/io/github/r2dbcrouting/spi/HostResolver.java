package io.github.r2dbcrouting.spi;

import java.net.InetAddress;
import java.util.List;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Which addresses has a host?
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface HostResolver {

    /**
     * Resolves a name.
     *
     * @param host the name
     * @return its addresses of both kinds, in any order; an error if it has none. Nothing happens before it is
     *     subscribed, and nothing blocks the thread that does
     */
    Mono<List<InetAddress>> resolve(String host);

    /**
     * Returns the platform's resolver. It blocks, so it runs on threads that may.
     *
     * @return {@link InetAddress#getAllByName} on Reactor's bounded elastic scheduler
     */
    static HostResolver platform() {
        return host -> Mono.fromCallable(() -> List.of(InetAddress.getAllByName(host)))
                .subscribeOn(Schedulers.boundedElastic());
    }
}
