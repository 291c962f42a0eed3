package io.github.r2dbcrouting.samples.shop.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.web.server.PortInUseException;

/**
 * What does routing look like in an application? Starts a primary and three replicas, and a shop on them whose page has
 * buttons to pause, delay, kill and promote them.
 */
public final class WebfluxShop {

    private static final String SMOKE = "--smoke";
    private static final int SMOKE_USERS = 8;
    private static final int SMOKE_ROUNDS = 100;
    private static final String DASHBOARD = "/actuator/r2dbcrouting/dashboard";

    private final PrintStream out;

    WebfluxShop(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs the shop until it is stopped, or with {@code --smoke} until it has checked itself.
     *
     * @param arguments {@code --smoke}, and Spring Boot's, such as {@code --server.port=8081}
     */
    public static void main(String[] arguments) {
        WebfluxShop shop = new WebfluxShop(System.out);
        List<String> all = Arrays.asList(arguments);
        if (all.contains(SMOKE)) {
            String[] others =
                    all.stream().filter(argument -> !argument.equals(SMOKE)).toArray(String[]::new);
            System.exit(shop.smoke(SMOKE_USERS, SMOKE_ROUNDS, others));
        } else {
            shop.open(arguments);
        }
    }

    /** Checks the shop on a port that is free, and returns the exit code. */
    int smoke(int users, int rounds, String... arguments) {
        try (DemoServers servers = servers();
                RunningShop shop = RunningShop.start(servers, onAnyPort(arguments))) {
            return new Smoke(out, users, rounds).run(servers, shop);
        }
    }

    private void open(String... arguments) {
        DemoServers servers = servers();
        RunningShop shop;
        try {
            shop = RunningShop.start(servers, arguments);
        } catch (RuntimeException failure) {
            servers.close();
            sayIfPortIsTaken(failure);
            // the log says why it did not start
            System.exit(1);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(servers, shop), "webflux-shop-at-exit"));
        out.println("shop      " + shop.url() + "/");
        out.println("dashboard " + shop.url() + DASHBOARD);
        out.println("          Ctrl-C ends the shop and its servers");
    }

    private static void sayIfPortIsTaken(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof PortInUseException taken) {
                System.err.println("webflux-shop: port " + taken.getPort() + " is taken: choose another one with"
                        + " --server.port=8081, or any that is free with --server.port=0");
            }
        }
    }

    private DemoServers servers() {
        out.println("webflux-shop: a shop on a PostgreSQL primary and three streaming replicas");
        out.println("          (the first run on a machine also unpacks PostgreSQL: a few seconds more)");
        long begin = System.nanoTime();
        DemoServers servers = DemoServers.start();
        out.printf(
                Locale.ROOT,
                "servers   server0 primary; server1, server2 replicas for the shop; server3 one for reports%9.1f s%n",
                Duration.ofNanos(System.nanoTime() - begin).toMillis() / 1e3);
        return servers;
    }

    /** The servers have an exit of their own, at the same time: whoever still has a connection would complain. */
    private static void close(DemoServers servers, RunningShop shop) {
        LoggingSystem.get(WebfluxShop.class.getClassLoader()).setLogLevel(LoggingSystem.ROOT_LOGGER_NAME, LogLevel.OFF);
        try {
            shop.close();
        } finally {
            servers.close();
        }
    }

    /** The check disturbs nobody, unless it was told which port to take. */
    private static String[] onAnyPort(String... arguments) {
        if (Arrays.stream(arguments).anyMatch(argument -> argument.startsWith("--server.port="))) {
            return arguments;
        }
        return Stream.concat(Arrays.stream(arguments), Stream.of("--server.port=0"))
                .toArray(String[]::new);
    }
}
