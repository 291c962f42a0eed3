package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What keeps a replica behind?
 *
 * @param kind in which way
 * @param length how long it is behind, where that can be said
 * @param every from the beginning of one spike to that of the next, else zero
 */
record Lag(Kind kind, Duration length, Duration every) {

    static final Lag NONE = new Lag(Kind.NONE, Duration.ZERO, Duration.ZERO);

    enum Kind {
        NONE,
        DELAY,
        SPIKES,
        PAUSED,
        KILLED
    }

    /**
     * Reads one.
     *
     * @param text {@code none}, {@code delay=200}, {@code spikes=500/2000}, {@code paused} or {@code killed}; in
     *     milliseconds
     * @return the lag
     */
    static Lag parse(String text) {
        try {
            String[] parts = text.split("[=/]");
            return switch (parts.length) {
                case 1 -> new Lag(plain(parts[0]), Duration.ZERO, Duration.ZERO);
                case 2 -> new Lag(timed(parts[0], Kind.DELAY), millis(parts[1]), Duration.ZERO);
                case 3 -> spikes(parts);
                default -> throw new IllegalArgumentException();
            };
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException(
                    "expected none, delay=<ms>, spikes=<ms>/<ms between>, paused or killed, not '" + text + "'",
                    malformed);
        }
    }

    private static Kind plain(String word) {
        return switch (word) {
            case "none" -> Kind.NONE;
            case "paused" -> Kind.PAUSED;
            case "killed" -> Kind.KILLED;
            default -> throw new IllegalArgumentException();
        };
    }

    private static Kind timed(String word, Kind kind) {
        if (!word.equals(kind.name().toLowerCase(java.util.Locale.ROOT))) {
            throw new IllegalArgumentException();
        }
        return kind;
    }

    private static Lag spikes(String[] parts) {
        Lag spikes = new Lag(timed(parts[0], Kind.SPIKES), millis(parts[1]), millis(parts[2]));
        if (spikes.length.compareTo(spikes.every) >= 0) {
            throw new IllegalArgumentException("a spike must end before the next begins");
        }
        return spikes;
    }

    private static Duration millis(String number) {
        long millis = Long.parseLong(number);
        if (millis <= 0) {
            throw new IllegalArgumentException();
        }
        return Duration.ofMillis(millis);
    }

    /** The lags of some replicas while they are in force. */
    static final class InForce implements AutoCloseable {

        private final List<Runnable> undo = new ArrayList<>();
        private @Nullable ScheduledExecutorService timer;

        /**
         * Brings lag upon replicas.
         *
         * @param replicas the replicas
         * @param lags one for each of the first replicas; the others have none
         */
        InForce(List<PostgresServer> replicas, List<Lag> lags) {
            for (int i = 0; i < Math.min(replicas.size(), lags.size()); i++) {
                begin(replicas.get(i), lags.get(i));
            }
        }

        private void begin(PostgresServer replica, Lag lag) {
            switch (lag.kind) {
                case NONE -> {}
                case DELAY -> {
                    replica.applyDelay(lag.length);
                    undo.add(() -> replica.applyDelay(Duration.ZERO));
                }
                case PAUSED -> {
                    replica.pauseReplay();
                    undo.add(replica::resumeReplay);
                }
                case KILLED -> {
                    replica.kill();
                    undo.add(replica::restart);
                }
                case SPIKES -> {
                    spike(replica, lag);
                    undo.add(replica::resumeReplay);
                }
            }
        }

        private void spike(PostgresServer replica, Lag lag) {
            ScheduledExecutorService spikes = timer;
            if (spikes == null) {
                spikes = Executors.newSingleThreadScheduledExecutor(task -> {
                    Thread thread = new Thread(task, "lag-spikes");
                    thread.setDaemon(true);
                    return thread;
                });
                timer = spikes;
            }
            var unusedPauses = spikes.scheduleAtFixedRate(
                    () -> logged(replica::pauseReplay),
                    lag.every.toMillis(),
                    lag.every.toMillis(),
                    TimeUnit.MILLISECONDS);
            var unusedEnds = spikes.scheduleAtFixedRate(
                    () -> logged(replica::resumeReplay),
                    lag.every.plus(lag.length).toMillis(),
                    lag.every.toMillis(),
                    TimeUnit.MILLISECONDS);
        }

        private static void logged(Runnable verb) {
            try {
                verb.run();
            } catch (RuntimeException failed) {
                System.err.println("a lag spike failed: " + failed);
            }
        }

        @Override
        public void close() {
            if (timer != null) {
                timer.shutdown();
                try {
                    var unused = timer.awaitTermination(10, TimeUnit.SECONDS);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            undo.forEach(Runnable::run);
            undo.clear();
        }
    }
}
