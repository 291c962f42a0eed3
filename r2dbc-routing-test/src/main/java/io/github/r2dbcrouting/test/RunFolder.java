package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
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

    private static final Object WITHIN_JVM = new Object();
    private static final String LOCK = "lock";

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
            synchronized (WITHIN_JVM) {
                // between its creation and its locking a folder looks like a dead JVM's
                try (FileChannel turnstile = open(runs.resolve(LOCK));
                        FileLock turn = turnstile.lock()) {
                    log.trace("Holding {}", turn);
                    cleanLeftovers(runs);
                    Path path = Files.createTempDirectory(
                            runs, ProcessHandle.current().pid() + "-");
                    FileChannel channel = open(path.resolve(LOCK));
                    if (channel.tryLock() == null) {
                        throw new IOException("Could not lock " + path);
                    }
                    return new RunFolder(path, channel, Watchdog.start(path));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Could not make a folder for the servers in " + runs, e);
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
            FileTree.delete(path);
            channel.close();
            if (watchdog != null) {
                try (OutputStream lifeline = watchdog.getOutputStream()) {
                    log.trace("Letting the watchdog go: {}", lifeline);
                }
            }
        } catch (IOException e) {
            log.warn("Could not delete {}", path, e);
        }
    }
}
