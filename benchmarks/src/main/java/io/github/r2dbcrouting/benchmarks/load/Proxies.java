package io.github.r2dbcrouting.benchmarks.load;

import io.r2dbc.spi.ConnectionFactoryOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Which proxies are installed here, and how are they set up to do their best? */
final class Proxies implements AutoCloseable {

    private static final int NOBODY = 65_534;
    private static final int ATTEMPTS = 100;
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(100);

    private final Cluster cluster;
    private final List<Process> running = new ArrayList<>();
    private final List<Path> written = new ArrayList<>();

    Proxies(Cluster cluster) {
        this.cluster = cluster;
    }

    /**
     * Starts a proxy before the servers.
     *
     * @param kind which one
     * @param contenders makes what goes by way of it
     * @param connections to each server at most
     * @param leftOut hears why there is none
     * @return what goes by way of it; empty if it is not installed or does not start
     */
    Optional<Contender> start(Kind kind, Contenders contenders, int connections, Consumer<String> leftOut) {
        Optional<Path> program = find(kind.toString());
        if (program.isEmpty()) {
            leftOut.accept("it is not installed");
            return Optional.empty();
        }
        try {
            Path folder = Files.createTempDirectory("routing-load-" + kind);
            written.add(folder);
            int write = freePort();
            int read = kind == Kind.HAPROXY ? freePort() : write;
            String version = version(kind, program.get());
            Process process = new ProcessBuilder(command(kind, program.get(), folder, write, read, connections))
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile())
                    .start();
            running.add(process);
            String writeUrl = url(write, kind == Kind.PGBOUNCER ? "writes" : null);
            List<String> readUrls = kind == Kind.PGBOUNCER
                    ? readers().stream().map(server -> url(read, server.name())).toList()
                    : List.of(url(read, null));
            awaitAnswer(process, writeUrl, folder);
            readUrls.forEach(url -> awaitAnswer(process, url, folder));
            return Optional.of(contenders.over(kind, version, readUrls, writeUrl));
        } catch (IOException | IllegalStateException failed) {
            leftOut.accept(String.valueOf(failed.getMessage()));
            return Optional.empty();
        }
    }

    private static Optional<Path> find(String program) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("") + ":/usr/sbin:/usr/local/sbin";
        return Stream.of(path.split(":"))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String version(Kind kind, Path program) throws IOException {
        Process process = new ProcessBuilder(program.toString(), kind == Kind.HAPROXY ? "-v" : "--version")
                .redirectErrorStream(true)
                .start();
        return new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.replaceFirst(" \\d{4}/.*", ""))
                .findFirst()
                .orElse("version unknown");
    }

    private List<String> command(Kind kind, Path program, Path folder, int write, int read, int connections)
            throws IOException {
        Path file = folder.resolve(kind + ".conf");
        Files.writeString(
                file,
                switch (kind) {
                    case HAPROXY -> haproxy(write, read);
                    case PGBOUNCER -> pgbouncer(folder, write, connections);
                    default -> pgpool(folder, write, connections);
                });
        return switch (kind) {
            case HAPROXY -> List.of(program.toString(), "-db", "-f", file.toString());
            case PGBOUNCER -> asOrdinaryUser(folder, List.of(program.toString(), file.toString()));
            default ->
                List.of(
                        program.toString(),
                        "-n",
                        "-f",
                        file.toString(),
                        "-F",
                        folder.resolve("pcp.conf").toString());
        };
    }

    /** pgbouncer refuses root. */
    private static List<String> asOrdinaryUser(Path folder, List<String> command) throws IOException {
        if (!"root".equals(System.getProperty("user.name"))) {
            return command;
        }
        // the folder stays closed to others, since there is a password in it
        Files.setAttribute(folder, "unix:uid", NOBODY);
        List<String> wrapped = new ArrayList<>(List.of("setpriv", "--reuid=" + NOBODY, "--clear-groups"));
        wrapped.addAll(command);
        return wrapped;
    }

    private String haproxy(int write, int read) {
        StringBuilder text = new StringBuilder("""
                global
                  maxconn 4000
                defaults
                  mode tcp
                  timeout connect 5s
                  timeout client 1h
                  timeout server 1h
                """);
        text.append("listen writes\n  bind 127.0.0.1:").append(write).append('\n');
        text.append("  server ")
                .append(cluster.primary().name())
                .append(' ')
                .append(at(cluster.primary()))
                .append('\n');
        text.append("listen reads\n  bind 127.0.0.1:").append(read).append("\n  balance roundrobin\n");
        readers()
                .forEach(server -> text.append("  server ")
                        .append(server.name())
                        .append(' ')
                        .append(at(server))
                        .append('\n'));
        return text.toString();
    }

    private String pgbouncer(Path folder, int port, int connections) throws IOException {
        ConnectionFactoryOptions options = options(cluster.primary());
        Files.writeString(
                folder.resolve("users"),
                "\"" + options.getRequiredValue(ConnectionFactoryOptions.USER) + "\" \""
                        + options.getRequiredValue(ConnectionFactoryOptions.PASSWORD) + "\"\n");
        StringBuilder databases = new StringBuilder("writes =" + server(options, connections));
        readers().forEach(server -> databases.append(server.name() + " =" + server(options(server), connections)));
        return "[databases]\n" + databases + "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = "
                + port + "\nunix_socket_dir =\nauth_type = any\nauth_file = " + folder.resolve("users")
                + "\npool_mode = session\nmax_client_conn = 2000\nserver_reset_query =\n"
                + "ignore_startup_parameters = extra_float_digits\n";
    }

    private static String server(ConnectionFactoryOptions server, int connections) {
        return " dbname=" + server.getRequiredValue(ConnectionFactoryOptions.DATABASE) + " host="
                + server.getRequiredValue(ConnectionFactoryOptions.HOST) + " port=" + port(server) + " user="
                + server.getRequiredValue(ConnectionFactoryOptions.USER) + " password="
                + server.getRequiredValue(ConnectionFactoryOptions.PASSWORD) + " pool_size=" + connections + "\n";
    }

    private String pgpool(Path folder, int port, int connections) throws IOException {
        ConnectionFactoryOptions options = options(cluster.primary());
        Files.writeString(folder.resolve("pcp.conf"), "");
        Files.writeString(folder.resolve("hba.conf"), "host all all 127.0.0.1/32 trust\n");
        StringBuilder text = new StringBuilder("listen_addresses = '127.0.0.1'\nport = " + port + "\npcp_port = "
                + freePort() + "\nsocket_dir = '" + folder + "'\npcp_socket_dir = '" + folder
                + "'\nwd_ipc_socket_dir = '"
                + folder + "'\npid_file_name = '" + folder.resolve("pid") + "'\nlogdir = '" + folder
                + "'\nbackend_clustering_mode = 'streaming_replication'\nload_balance_mode = on\n"
                + "num_init_children = " + connections * (readers().size() + 1) + "\nmax_pool = 1\n"
                + "enable_pool_hba = off\nallow_clear_text_frontend_auth = on\n"
                + "disable_load_balance_on_write = 'transaction'\nstatement_level_load_balance = on\nsr_check_user = '"
                + options.getRequiredValue(ConnectionFactoryOptions.USER) + "'\nsr_check_password = '"
                + options.getRequiredValue(ConnectionFactoryOptions.PASSWORD) + "'\nsr_check_database = '"
                + options.getRequiredValue(ConnectionFactoryOptions.DATABASE) + "'\nsr_check_period = 10\n");
        List<Cluster.Server> servers = new ArrayList<>(List.of(cluster.primary()));
        servers.addAll(cluster.replicas());
        for (int i = 0; i < servers.size(); i++) {
            ConnectionFactoryOptions server = options(servers.get(i));
            text.append("backend_hostname" + i + " = '" + server.getRequiredValue(ConnectionFactoryOptions.HOST)
                    + "'\nbackend_port" + i + " = " + port(server) + "\nbackend_weight" + i + " = "
                    + (i == 0 && servers.size() > 1 ? 0 : 1) + "\nbackend_flag" + i + " = 'DISALLOW_TO_FAILOVER'\n");
        }
        return text.toString();
    }

    private List<Cluster.Server> readers() {
        return cluster.replicas().isEmpty() ? List.of(cluster.primary()) : cluster.replicas();
    }

    private static String at(Cluster.Server server) {
        ConnectionFactoryOptions options = options(server);
        return options.getRequiredValue(ConnectionFactoryOptions.HOST) + ":" + port(options);
    }

    private static ConnectionFactoryOptions options(Cluster.Server server) {
        return ConnectionFactoryOptions.parse(server.url());
    }

    private static Object port(ConnectionFactoryOptions options) {
        return options.hasOption(ConnectionFactoryOptions.PORT)
                ? options.getRequiredValue(ConnectionFactoryOptions.PORT)
                : Integer.valueOf(5432);
    }

    private String url(int port, @org.jspecify.annotations.Nullable String database) {
        ConnectionFactoryOptions options = options(cluster.primary());
        return "r2dbc:postgresql://" + options.getRequiredValue(ConnectionFactoryOptions.USER) + ":"
                + options.getRequiredValue(ConnectionFactoryOptions.PASSWORD) + "@127.0.0.1:" + port + "/"
                + (database == null ? options.getRequiredValue(ConnectionFactoryOptions.DATABASE) : database);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void awaitAnswer(Process process, String url, Path folder) {
        for (int attempt = 0; ; attempt++) {
            try {
                var unused = Cluster.ask(url, "SELECT 'up'");
                return;
            } catch (RuntimeException notYet) {
                if (attempt >= ATTEMPTS || !process.isAlive()) {
                    String log = log(folder);
                    throw new IllegalStateException(
                            "it does not answer: " + notYet.getMessage() + "; its log ends with "
                                    + log.substring(Math.max(0, log.length() - 300))
                                            .strip(),
                            notYet);
                }
                LockSupport.parkNanos(PAUSE);
            }
        }
    }

    private static String log(Path folder) {
        try {
            return Files.readString(folder.resolve("log"));
        } catch (IOException unreadable) {
            return "unreadable: " + unreadable.getMessage();
        }
    }

    @Override
    public void close() {
        for (Process process : running) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            try {
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        written.forEach(Proxies::delete);
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
