package io.github.r2dbcrouting.spi;

import java.util.List;
import reactor.core.publisher.Mono;

/** Servers that never change. */
record FixedServers(String name, List<ServerDescription> all) implements TopologySource {

    @Override
    public Mono<List<ServerDescription>> servers() {
        return Mono.just(all);
    }
}
