package io.github.r2dbcrouting.samples.quickstart;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Do users see what they have just written? Runs the same users twice on an embedded cluster, once reading from any
 * replica and once in causal sessions, and shows the difference.
 */
public final class Quickstart {

    private static final int USERS = 5_000;
    private static final int WARM_UP = 1_000;
    private static final long TICK_MILLIS = 100;

    private final Terminal terminal;
    private final int users;
    private final int warmUp;

    Quickstart(Terminal terminal, int users, int warmUp) {
        this.terminal = terminal;
        this.users = users;
        this.warmUp = warmUp;
    }

    /**
     * Runs the demo.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Terminal terminal = Terminal.ofProcess();
        System.setErr(terminal.besides(System.err));
        CountDownLatch ended = new CountDownLatch(1);
        endInOrderWhenInterrupted(terminal, ended);
        int exitCode = 1;
        try {
            exitCode = new Quickstart(terminal, USERS, WARM_UP).run();
        } catch (InterruptedException e) {
            terminal.erase();
        } catch (RuntimeException e) {
            terminal.erase();
            System.err.println("quickstart failed: " + e);
            e.printStackTrace();
        } finally {
            ended.countDown();
        }
        System.exit(exitCode);
    }

    /** Ctrl-C unwinds the main thread, so that all is closed in the same order as at a normal end. */
    private static void endInOrderWhenInterrupted(Terminal terminal, CountDownLatch ended) {
        Thread main = Thread.currentThread();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            if (ended.getCount() > 0) {
                                terminal.line("");
                                main.interrupt();
                                try {
                                    var unused = ended.await(5, TimeUnit.SECONDS);
                                } catch (InterruptedException e) {
                                    // the JVM ends anyway
                                }
                            }
                        },
                        "quickstart-at-exit"));
    }

    /** Runs the demo, and returns the exit code. */
    int run() throws InterruptedException {
        terminal.line("r2dbc-routing quickstart: %s users save a profile and look at it %d ms later, once"
                .formatted(Comparison.count(users), Users.REDIRECT.toMillis()));
        terminal.line("reading from any replica, once in causal sessions that never read behind their writes.");
        terminal.line("");
        long begin = System.nanoTime();
        terminal.line("cluster   a PostgreSQL primary and two streaming replicas, for this demo only");
        terminal.progress("          starting; the first run on a machine also unpacks PostgreSQL");
        try (DemoCluster cluster = DemoCluster.start()) {
            terminal.line(step(
                    "",
                    "db0 primary, db1 replica, db2 replica that lags " + DemoCluster.LAG.toMillis() + " ms on purpose",
                    begin));
            return compare(cluster);
        }
    }

    private int compare(DemoCluster cluster) throws InterruptedException {
        Outcome unused = run(cluster, "warm-up", Reading.CAUSAL, 0, warmUp);
        Outcome naive = run(cluster, "naive", Reading.NAIVE, warmUp, users);
        Outcome causal = run(cluster, "causal", Reading.CAUSAL, warmUp + users, users);
        Comparison comparison = new Comparison(cluster.servers(), naive, causal);

        terminal.line("");
        comparison.table().forEach(terminal::line);
        terminal.line("");
        terminal.line("Three reads, and where the router sends them:");
        for (Explanation explanation : Explanation.of(cluster.router(), warmUp + 2L * users)) {
            terminal.line("");
            explanation.lines().forEach(terminal::line);
        }
        terminal.line("");
        terminal.line(comparison.summary());
        if (causal.tally().stale() > 0) {
            System.err.println("quickstart failed: a read in a causal session did not see the session's write");
            return 1;
        }
        return 0;
    }

    private Outcome run(DemoCluster cluster, String name, Reading reading, long firstUser, int count)
            throws InterruptedException {
        Tally tally = new Tally(cluster.servers().get(0).ownName());
        long begin = System.nanoTime();
        CompletableFuture<Void> all = new Users(new Profiles(cluster.router()), reading, tally)
                .run(firstUser, count)
                .toFuture();
        try {
            while (!ended(all)) {
                terminal.progress(step(name, status(tally), begin));
            }
        } catch (InterruptedException e) {
            all.cancel(true);
            throw e;
        }
        terminal.line(step(name, status(tally), begin));
        return new Outcome(tally, Duration.ofNanos(System.nanoTime() - begin));
    }

    private static boolean ended(CompletableFuture<Void> all) throws InterruptedException {
        try {
            all.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException running) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a user's request failed", e.getCause());
        }
    }

    private static String status(Tally tally) {
        return "%6s users %8s stale reads %9s from replicas"
                .formatted(
                        Comparison.count(tally.users()),
                        Comparison.count(tally.stale()),
                        Comparison.percent(tally.replicaShare()));
    }

    private static String step(String name, String status, long begin) {
        return "%-10s%-66s%8s".formatted(name, status, Comparison.seconds(System.nanoTime() - begin));
    }
}
