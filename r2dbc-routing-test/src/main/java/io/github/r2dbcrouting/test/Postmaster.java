package io.github.r2dbcrouting.test;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A server as a process of this machine: its postmaster, and the children that this one has. */
final class Postmaster implements ServerProcess {

    static final String DATA = "data";
    static final String STANDBY_SIGNAL = "standby.signal";

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(60);
    private static final int PORT_ATTEMPTS = 10;
    private static final int LOG_TAIL_LINES = 40;

    private final Binaries binaries;
    private final Path folder;
    private volatile @Nullable Process process;
    private boolean frozen;
    private int port;
    private volatile @Nullable InetSocketAddress address;

    Postmaster(Binaries binaries, Path folder) {
        this.binaries = binaries;
        this.folder = folder;
    }

    /** What a running postmaster writes about itself. */
    record State(long pid, String status) {
        boolean acceptsConnections() {
            return status.equals("ready") || status.equals("standby");
        }
    }

    static @Nullable State read(Path data) {
        try {
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"), StandardCharsets.ISO_8859_1);
            return lines.size() < 8
                    ? null
                    : new State(Long.parseLong(lines.get(0)), lines.get(7).strip());
        } catch (IOException | NumberFormatException e) {
            // not there yet, or half-written
            return null;
        }
    }

    private Path data() {
        return folder.resolve(DATA);
    }

    /** Asked by the proxy's event loops, so it takes no lock; a server that has died by itself has no address either. */
    @Override
    public @Nullable InetSocketAddress address() {
        return isRunning() ? address : null;
    }

    @Override
    public boolean isRunning() {
        Process current = process;
        return current != null && current.isAlive();
    }

    @Override
    public synchronized boolean isFrozen() {
        return frozen;
    }

    @Override
    public synchronized void launch() {
        if (isRunning()) {
            throw new IllegalStateException("It runs already");
        }
        try {
            // ours is known to have ended; a stranger that got its process number must not stop us
            Files.deleteIfExists(data().resolve("postmaster.pid"));
            address = null;
            port = freePort();
            frozen = false;
            Process started = Commands.builder(Platform.command(
                            binaries.postgres(), List.of("-D", data().toString(), "-p", Integer.toString(port))))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                    .start();
            started.getOutputStream().close();
            process = started;
        } catch (IOException e) {
            throw new UncheckedIOException("Could not start PostgreSQL in " + folder, e);
        }
    }

    /** Returns when the launched server accepts connections; launches it again elsewhere if its port was taken meanwhile. */
    @Override
    public synchronized InetSocketAddress awaitReady() {
        for (int attempt = 1; ; attempt++) {
            Process awaited = Objects.requireNonNull(process);
            boolean decided = Await.within(
                    "PostgreSQL accepts connections", START_LIMIT, () -> !awaited.isAlive() || isReady(awaited));
            InetSocketAddress reached = address;
            if (decided && awaited.isAlive() && reached != null) {
                return reached;
            }
            if (awaited.isAlive()) {
                kill();
                throw failure("PostgreSQL did not accept connections within " + START_LIMIT.toSeconds() + " s");
            }
            if (attempt == PORT_ATTEMPTS || !logTail().contains("could not create any TCP/IP sockets")) {
                throw failure("PostgreSQL ended with exit code " + awaited.exitValue() + " at its start");
            }
            launch();
        }
    }

    /** Only the file's process number tells our server from one that somebody else runs on the same port. */
    private boolean isReady(Process awaited) {
        State state = read(data());
        if (state == null || state.pid() != awaited.pid()) {
            return false;
        }
        address = new InetSocketAddress(NetUtil.LOCALHOST4, port);
        return state.acceptsConnections();
    }

    @Override
    public synchronized void stop() {
        if (frozen) {
            throw new IllegalStateException("A frozen server cannot shut down; thaw it or kill it");
        }
        if (process == null) {
            return;
        }
        if (Platform.isWindows()) {
            Commands.run(List.of(binaries.pgCtl().toString(), "stop", "-D", data().toString(), "-m", "fast"));
        } else {
            Commands.signal("INT", Stream.of(process.toHandle()));
        }
        Await.until("PostgreSQL has shut down", STOP_LIMIT, () -> !isRunning(), this::logTail);
    }

    @Override
    public synchronized void kill() {
        if (process == null) {
            return;
        }
        suspend();
        List<ProcessHandle> children = process.children().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        Await.until(
                "the killed processes have ended",
                STOP_LIMIT,
                () -> !isRunning() && children.stream().allMatch(Commands::hasEnded),
                this::logTail);
        frozen = false;
    }

    /** Ends it as fast as can be when its data is not wanted any more, without leaving shared memory behind. */
    @Override
    public synchronized void discard() {
        if (process != null && process.isAlive() && !Platform.isWindows()) {
            thaw();
            Commands.signal("QUIT", Stream.of(process.toHandle()));
            if (!Await.within("PostgreSQL has ended", Duration.ofSeconds(4), () -> !isRunning())) {
                kill();
            }
        } else {
            kill();
        }
        removeSharedMemory();
    }

    /** A postmaster that was killed leaves its memory segment, which the system keeps for good; the file names it. */
    private void removeSharedMemory() {
        Path file = data().resolve("postmaster.pid");
        if (Platform.isWindows() || !Files.exists(file)) {
            return;
        }
        try {
            String segment =
                    Files.readAllLines(file, StandardCharsets.ISO_8859_1).get(6).strip();
            Commands.run(List.of("ipcrm", "-m", segment.substring(segment.lastIndexOf(' ') + 1)));
        } catch (IOException | IndexOutOfBoundsException | ClusterException e) {
            // some hundred bytes of memory are no reason to fail a test
        }
    }

    @Override
    public synchronized void freeze() {
        if (Platform.isWindows()) {
            throw new UnsupportedOperationException("Windows cannot freeze a process");
        }
        suspend();
        frozen = true;
    }

    private void suspend() {
        if (process == null || Platform.isWindows()) {
            return;
        }
        // first the postmaster, so that no further children appear
        Commands.signal("STOP", Stream.of(process.toHandle()));
        Commands.signal("STOP", process.children());
    }

    @Override
    public synchronized void thaw() {
        if (frozen && process != null) {
            Commands.signal("CONT", Stream.concat(process.children(), Stream.of(process.toHandle())));
        }
        frozen = false;
    }

    @Override
    public synchronized void killBackend(int pid) {
        List<ProcessHandle> children =
                process == null ? List.of() : process.children().toList();
        ProcessHandle backend = children.stream()
                .filter(child -> child.pid() == pid)
                .findAny()
                .orElseThrow(() -> new ClusterException("The server has no process " + pid));
        backend.destroyForcibly();
        Await.until(
                "the server has ended its other processes, too",
                STOP_LIMIT,
                () -> children.stream().allMatch(Commands::hasEnded),
                this::logTail);
    }

    @Override
    public Role role() {
        return Files.exists(data().resolve(STANDBY_SIGNAL)) ? Role.REPLICA : Role.PRIMARY;
    }

    private Path log() {
        return folder.resolve("log");
    }

    @Override
    public String logTail() {
        try {
            List<String> lines = Files.readAllLines(log(), StandardCharsets.ISO_8859_1);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    private ClusterException failure(String what) {
        return new ClusterException(what + "; the end of its log:\n" + logTail());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, NetUtil.LOCALHOST4)) {
            return socket.getLocalPort();
        }
    }
}
