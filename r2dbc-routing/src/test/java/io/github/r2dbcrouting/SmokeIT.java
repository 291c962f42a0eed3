package io.github.r2dbcrouting;

import io.github.r2dbcrouting.test.PostgresCluster;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class SmokeIT {
    @Test
    void smoke() {
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(2).start()) {
            cluster.primary().execute("CREATE TABLE kv (k int primary key, v int)");
            cluster.awaitReplayed();
            var reasons = new ConcurrentHashMap<String, AtomicInteger>();
            RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
                    .server("db0", cluster.server(0).r2dbcUrl())
                    .server("db1", cluster.server(1).r2dbcUrl())
                    .server("db2", cluster.server(2).r2dbcUrl())
                    .listener(d -> reasons.computeIfAbsent(d.server() + " " + d.reason(), k -> new AtomicInteger())
                            .incrementAndGet())
                    .build();
            Blocking.run(factory.ready(Duration.ofSeconds(10)));
            System.out.println(factory.table());
            long t0 = System.nanoTime();
            AtomicInteger stale = new AtomicInteger();
            Blocking.run(Flux.range(0, 3000)
                    .flatMap(
                            i -> {
                                CausalSession session = CausalSession.create();
                                return Mono.usingWhen(
                                                factory.create(),
                                                c -> Flux.from(c.createStatement("INSERT INTO kv VALUES ($1, $2)")
                                                                .bind(0, i)
                                                                .bind(1, i)
                                                                .execute())
                                                        .flatMap(r -> r.getRowsUpdated())
                                                        .then(),
                                                c -> c.close())
                                        .then(Mono.delay(Duration.ofMillis(5)))
                                        .then(Mono.usingWhen(
                                                        factory.create(),
                                                        c -> Flux.from(c.createStatement("SELECT v FROM kv WHERE k=$1")
                                                                        .bind(0, i)
                                                                        .execute())
                                                                .flatMap(r ->
                                                                        r.map((row, m) -> row.get(0, Integer.class)))
                                                                .collectList(),
                                                        c -> c.close())
                                                .contextWrite(Routing.read()))
                                        .doOnNext(l -> {
                                            if (!l.equals(List.of(i))) stale.incrementAndGet();
                                        })
                                        .contextWrite(Routing.session(session));
                            },
                            32));
            System.out.println("ms " + (System.nanoTime() - t0) / 1e6 + " stale " + stale);
            System.out.println(reasons);
            System.out.println(factory.table());
            System.out.println(factory.explain(Routing.read(), CausalSession.create()));
            CausalToken t = factory.capture().block(Duration.ofSeconds(5));
            System.out.println(t + " " + factory.explain(Routing.read(), CausalSession.resume(t)));
            Blocking.run(factory.close());
        }
    }
}
