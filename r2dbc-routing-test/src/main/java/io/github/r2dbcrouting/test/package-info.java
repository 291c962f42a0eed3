/**
 * A real PostgreSQL primary with streaming replicas in the test's own process tree, and the faults to put it through.
 *
 * <p>PostgreSQL's programs come from Maven, for the platform at hand; nothing has to be installed. A cluster of three
 * servers starts in about half a second once they are unpacked, as root or not:
 *
 * <pre>{@code
 * try (PostgresCluster cluster = PostgresCluster.builder().replicas(2).start()) {
 *     ConnectionFactory replica = ConnectionFactories.get(cluster.replica(0).r2dbcUrl());
 *     cluster.replica(0).pauseReplay();                       // it goes on answering, but lags
 *     cluster.primary().execute("CREATE TABLE t (id int)");
 *     cluster.primary().kill();                               // a crash
 *     cluster.replica(1).promote();                           // a failover
 *     cluster.primary().rejoin();                             // server 0 follows server 2, under its old port
 * }
 * }</pre>
 *
 * <p>With JUnit, classes share clusters, and each test finds one that is as good as new:
 *
 * <pre>{@code
 * @PostgresClusterTest(replicas = 2, settings = "wal_level=logical")
 * class OrdersIT {
 *
 *     @Test
 *     void readsGoOnWhileThePrimaryIsDown(PostgresCluster cluster) {
 *         cluster.primary().kill();
 *         // ...
 *     }
 * }
 * }</pre>
 *
 * <p>Everything here blocks, except the proxy's own threads: call it from tests, never from a Reactor thread.
 */
@NullMarked
package io.github.r2dbcrouting.test;

import org.jspecify.annotations.NullMarked;
