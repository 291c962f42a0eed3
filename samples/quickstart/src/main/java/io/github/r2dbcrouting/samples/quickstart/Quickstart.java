package io.github.r2dbcrouting.samples.quickstart;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Do users see what they have just written? Runs the same users twice on an embedded cluster, once reading from any
 * replica and once in causal sessions, and shows the difference.
 */
public final class Quickstart {

    private static final int USERS = 4_000;
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
        Interruption interruption = Interruption.guard();
        int exitCode = 1;
        try {
            exitCode = new Quickstart(terminal, USERS, WARM_UP).run();
        } catch (RuntimeException | InterruptedException e) {
            // whoever pressed Ctrl-C knows why it ends
            if (!interruption.happened()) {
                System.err.println("quickstart failed:");
                e.printStackTrace();
            }
        } finally {
            terminal.erase();
            interruption.ended();
        }
        System.exit(exitCode);
    }

    /** Runs the demo, and returns the exit code. */
    int run() throws InterruptedException {
        terminal.line("r2dbc-routing quickstart: " + Figures.count(users) + " users save a profile and read it back "
                + Users.REDIRECT.toMillis() + " ms later,");
        terminal.line("first from any replica, then in causal sessions, which see what they wrote.");
        terminal.line("");
        terminal.line("cluster   a PostgreSQL primary and two streaming replicas, just for this demo");
        terminal.line("          (the first run on a machine also unpacks PostgreSQL: a few seconds more)");
        long begin = System.nanoTime();
        try (DemoCluster cluster = DemoCluster.start()) {
            terminal.line(step(
                    "", "db0 primary, db1 replica, db2 replica " + DemoCluster.LAG.toMillis() + " ms late", begin));
            return compare(cluster);
        }
    }

    private int compare(DemoCluster cluster) throws InterruptedException {
        Tally unused = run(cluster, "warm-up", Reading.CAUSAL, 0, warmUp);
        Tally naive = run(cluster, "naive", Reading.NAIVE, warmUp, users);
        Tally causal = run(cluster, "causal", Reading.CAUSAL, warmUp + users, users);
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
        if (causal.stale() > 0) {
            System.err.println("quickstart failed: reads in causal sessions did not see what the session wrote");
            return 1;
        }
        return 0;
    }

    private Tally run(DemoCluster cluster, String name, Reading reading, long firstUser, int count)
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
        tally.took(Duration.ofNanos(System.nanoTime() - begin));
        terminal.line(step(name, status(tally), begin));
        return tally;
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
                        Figures.count(tally.users()),
                        Figures.count(tally.stale()),
                        Figures.percent(tally.replicaShare()));
    }

    private static String step(String name, String status, long begin) {
        return "%-10s%-62s%10s".formatted(name, status, Figures.seconds(Duration.ofNanos(System.nanoTime() - begin)));
    }
}
