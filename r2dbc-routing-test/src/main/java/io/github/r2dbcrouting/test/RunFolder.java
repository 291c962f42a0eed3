package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What does one cluster leave on the machine, and who removes it if this JVM cannot?
 *
 * <p>A folder per cluster, named after the JVM's process. A watchdog process ends its servers and deletes it as soon as
 * the JVM is gone, however it went; and if the watchdog was killed too, the next run does so: a folder whose lock nobody
 * holds belongs to a dead JVM, since the system releases the lock with the process.
 */
final class RunFolder implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RunFolder.class);

    private static final String LOCK = "lock";
    private static final Object WITHIN_JVM = new Object();
    private static final Duration TURN_LIMIT = Duration.ofSeconds(60);

    private final Path path;
    private final FileChannel channel;
    private final @Nullable Process watchdog;

    private RunFolder(Path path, FileChannel channel, @Nullable Process watchdog) {
        this.path = path;
        this.channel = channel;
        this.watchdog = watchdog;
    }

    /** A new folder of this JVM; those of dead ones are cleaned first. */
    static RunFolder create() {
        Path runs =
                Cache.ofUserIn(Path.of(System.getProperty("java.io.tmpdir"))).resolve("runs");
        try {
            Files.createDirectories(runs);
            // between its creation and its locking a folder looks like a dead JVM's
            return inTurn(runs, () -> {
                cleanLeftovers(runs);
                Path path =
                        Files.createTempDirectory(runs, ProcessHandle.current().pid() + "-");
                FileChannel channel = open(path.resolve(LOCK));
                if (channel.tryLock() == null) {
                    throw new IOException("Could not lock " + path);
                }
                return new RunFolder(path, channel, Watchdog.start(path));
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Could not make a folder for the servers in " + runs, e);
        }
    }

    @FunctionalInterface
    private interface Action<T> {
        T run() throws IOException;
    }

    /** Runs an action while nobody else on this machine, nor in this JVM, makes or removes folders of runs. */
    private static <T> T inTurn(Path runs, Action<T> action) throws IOException {
        // closing a channel gives the turn away, even one that another thread got in the meantime
        synchronized (WITHIN_JVM) {
            try (FileChannel turnstile = open(runs.resolve(LOCK))) {
                Await.until(
                        "it is this run's turn to use " + runs,
                        TURN_LIMIT,
                        () -> isLocked(turnstile),
                        () -> "Another process holds it.");
                return action.run();
            }
        }
    }

    private static boolean isLocked(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // this class was loaded a second time, and has it there
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static void cleanLeftovers(Path runs) throws IOException {
        String own = ProcessHandle.current().pid() + "-";
        List<Path> others;
        try (Stream<Path> entries = Files.list(runs)) {
            // opening and closing a lock file of our own would release the lock: that is how POSIX defines it
            others = entries.filter(entry -> Files.isDirectory(entry)
                            && !entry.getFileName().toString().startsWith(own))
                    .toList();
        }
        for (Path other : others) {
            if (isAbandoned(other)) {
                log.info("Cleaning up after a test run that was killed: {}", other);
                Watchdog.endServersIn(other);
                FileTree.delete(other);
            }
        }
    }

    private static boolean isAbandoned(Path run) {
        try (FileChannel channel = open(run.resolve(LOCK));
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException e) {
            // deleted by its owner or its watchdog at this moment
            return false;
        }
    }

    Path path() {
        return path;
    }

    /** Deletes the folder; the servers must have ended. */
    @Override
    public void close() {
        try {
            boolean deleted = inTurn(Objects.requireNonNull(path.getParent()), () -> {
                FileTree.delete(path);
                return !Files.exists(path);
            });
            log.debug("Deleted {}: {}", path, deleted);
            channel.close();
            if (watchdog != null) {
                // the end of its input lets it go
                watchdog.getOutputStream().close();
            }
        } catch (IOException | ClusterException e) {
            log.warn("Could not delete {}", path, e);
        }
    }
}
