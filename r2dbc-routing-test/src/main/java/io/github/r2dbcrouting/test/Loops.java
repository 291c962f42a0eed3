package io.github.r2dbcrouting.test;

import reactor.netty.resources.LoopResources;

/** Which threads move bytes? Daemons shared by all clusters of the JVM, and by nobody else who might dispose them. */
final class Loops {

    static final String PREFIX = "postgres-cluster";
    static final LoopResources SHARED = LoopResources.create(PREFIX, 2, true);

    private Loops() {}
}
