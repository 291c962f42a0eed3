package io.github.r2dbcrouting.test;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/** A server in a container of its own. */
final class ContainerServer implements ServerProcess {

    private static final int PORT = 5432;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final int LOG_TAIL = 4_000;

    /** The image lets clients log in from everywhere, but not replicas. */
    private static final String ADMIT_REPLICAS =
            "echo 'host replication all all scram-sha-256' >> \"$PGDATA/pg_hba.conf\"";

    private static final String FOLLOW = """
            if [ ! -s "$PGDATA/PG_VERSION" ]; then
              until pg_basebackup -h "$UPSTREAM_HOST" -p "$UPSTREAM_PORT" -U "$POSTGRES_USER" -D "$PGDATA" -X stream -c fast
              do
                sleep 0.2
                rm -rf "$PGDATA"/*
              done
              touch "$PGDATA/standby.signal"
            fi
            exec docker-entrypoint.sh postgres "$@"
            """;

    private final String image;
    private final Credentials credentials;
    private final String upstreamHost;
    private final int upstreamPort;
    private final List<String> arguments;
    private @Nullable GenericContainer<?> container;
    private Role role = Role.PRIMARY;
    private volatile @Nullable InetSocketAddress address;

    ContainerServer(
            String image, Credentials credentials, String upstreamHost, int upstreamPort, List<String> arguments) {
        this.image = image;
        this.credentials = credentials;
        this.upstreamHost = upstreamHost;
        this.upstreamPort = upstreamPort;
        this.arguments = List.copyOf(arguments);
    }

    /** Forgets the data: the next launch makes a new primary, or copies whom the server follows. */
    synchronized void renew(Role next) {
        discard();
        role = next;
    }

    @Override
    public @Nullable InetSocketAddress address() {
        return address;
    }

    @Override
    public synchronized boolean isRunning() {
        return container != null && Boolean.TRUE.equals(state(container).getRunning());
    }

    @Override
    public synchronized boolean isFrozen() {
        return container != null && Boolean.TRUE.equals(state(container).getPaused());
    }

    @Override
    public synchronized Role role() {
        if (isRunning() && !isFrozen()) {
            role = exec("sh", "-c", "test -f \"$PGDATA/standby.signal\"").getExitCode() == 0
                    ? Role.REPLICA
                    : Role.PRIMARY;
        }
        return role;
    }

    @Override
    public synchronized void launch() {
        if (container == null) {
            container = create();
            container.start();
        } else {
            docker().startContainerCmd(id()).exec();
        }
        address = published();
    }

    private GenericContainer<?> create() {
        GenericContainer<?> created = new GenericContainer<>(DockerImageName.parse(image))
                .withExposedPorts(PORT)
                .withStartupTimeout(START_LIMIT)
                .withAccessToHost(true)
                .withEnv("POSTGRES_USER", credentials.user())
                .withEnv("POSTGRES_PASSWORD", credentials.password())
                .withEnv("POSTGRES_DB", credentials.database());
        String[] settings = arguments.toArray(String[]::new);
        if (role == Role.PRIMARY) {
            return created.withCopyToContainer(
                            Transferable.of(ADMIT_REPLICAS), "/docker-entrypoint-initdb.d/admit-replicas.sh")
                    .withCommand(Stream.concat(Stream.of("postgres"), arguments.stream())
                            .toArray(String[]::new));
        }
        return created.withEnv("PGPASSWORD", credentials.password())
                .withEnv("UPSTREAM_HOST", upstreamHost)
                .withEnv("UPSTREAM_PORT", Integer.toString(upstreamPort))
                .withCommand(Stream.concat(Stream.of("bash", "-c", FOLLOW, "follow"), Stream.of(settings))
                        .toArray(String[]::new));
    }

    @Override
    public InetSocketAddress awaitReady() {
        InetSocketAddress reached = Objects.requireNonNull(address);
        try (ControlSessions sessions = new ControlSessions(credentials, reached, () -> role == Role.REPLICA)) {
            Await.until("PostgreSQL accepts connections", START_LIMIT, sessions::answers, this::logTail);
        }
        return reached;
    }

    @Override
    public synchronized void stop() {
        if (isFrozen()) {
            throw new IllegalStateException("A frozen server cannot shut down; thaw it or kill it");
        }
        if (isRunning()) {
            address = null;
            docker().stopContainerCmd(id()).exec();
        }
    }

    @Override
    public synchronized void kill() {
        if (isRunning()) {
            thaw();
            address = null;
            docker().killContainerCmd(id()).exec();
            Await.until("the container has ended", START_LIMIT, () -> !isRunning(), this::logTail);
        }
    }

    @Override
    public synchronized void killBackend(int pid) {
        Container.ExecResult result = exec("kill", "-9", Integer.toString(pid));
        if (result.getExitCode() != 0) {
            throw new ClusterException("The server has no process " + pid + ": " + result.getStderr());
        }
        Await.until(
                "the backend has ended",
                START_LIMIT,
                () -> exec("kill", "-0", Integer.toString(pid)).getExitCode() != 0,
                this::logTail);
    }

    @Override
    public synchronized void freeze() {
        docker().pauseContainerCmd(id()).exec();
    }

    @Override
    public synchronized void thaw() {
        if (isFrozen()) {
            docker().unpauseContainerCmd(id()).exec();
        }
    }

    @Override
    public synchronized void discard() {
        address = null;
        if (container != null) {
            thaw();
            container.stop();
            container = null;
        }
    }

    @Override
    public synchronized String logTail() {
        if (container == null) {
            return "(no log: there is no container)";
        }
        String log = container.getLogs();
        return log.substring(Math.max(0, log.length() - LOG_TAIL));
    }

    /** Docker chooses another port at each start. */
    private InetSocketAddress published() {
        GenericContainer<?> running = Objects.requireNonNull(container);
        Ports ports =
                docker().inspectContainerCmd(id()).exec().getNetworkSettings().getPorts();
        Ports.Binding[] bindings = ports.getBindings().get(ExposedPort.tcp(PORT));
        try {
            InetAddress host = InetAddress.getAllByName(running.getHost())[0];
            return new InetSocketAddress(host, Integer.parseInt(Objects.requireNonNull(bindings)[0].getHostPortSpec()));
        } catch (UnknownHostException e) {
            throw new ClusterException("Docker's host is unknown: " + running.getHost(), e);
        }
    }

    private Container.ExecResult exec(String... command) {
        try {
            return Objects.requireNonNull(container, "container").execInContainer(command);
        } catch (IOException e) {
            throw new ClusterException("Could not run " + command[0] + " in the container", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("Interrupted while running " + command[0], e);
        }
    }

    private static InspectContainerResponse.ContainerState state(GenericContainer<?> container) {
        return container
                .getDockerClient()
                .inspectContainerCmd(container.getContainerId())
                .exec()
                .getState();
    }

    private DockerClient docker() {
        return Objects.requireNonNull(container, "container").getDockerClient();
    }

    private String id() {
        return Objects.requireNonNull(container, "container").getContainerId();
    }
}
