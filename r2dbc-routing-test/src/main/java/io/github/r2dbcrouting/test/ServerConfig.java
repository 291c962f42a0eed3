package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** With which settings does a server run? */
final class ServerConfig {

    private static final String MARK = "\n# what follows is written by r2dbc-routing-test\n";

    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Credentials credentials;
    private final @Nullable Certificate certificate;

    ServerConfig(
            Credentials credentials, boolean fsync, @Nullable Certificate certificate, Map<String, String> custom) {
        this.credentials = credentials;
        this.certificate = certificate;
        settings.put("listen_addresses", "127.0.0.1");
        settings.put("unix_socket_directories", "");
        settings.put("max_connections", "200");
        settings.put("shared_buffers", "32MB");
        // files in the data directory: those go with it even when the server was killed
        settings.put("dynamic_shared_memory_type", Platform.isWindows() ? "windows" : "mmap");
        settings.put("fsync", fsync ? "on" : "off");
        settings.put("wal_level", "replica");
        settings.put("max_wal_senders", "20");
        settings.put("max_replication_slots", "20");
        // a replica that was cut off finds what it missed
        settings.put("wal_keep_size", "512MB");
        settings.put("checkpoint_timeout", "1h");
        settings.put("hot_standby", "on");
        settings.put("hot_standby_feedback", "off");
        settings.put("recovery_target_timeline", "latest");
        settings.put("wal_retrieve_retry_interval", "100ms");
        settings.put("wal_receiver_status_interval", "1s");
        // a partner that has gone silent: it must not hold up a shutdown, nor a replica that could go on elsewhere
        settings.put("wal_receiver_timeout", "5s");
        settings.put("wal_sender_timeout", "5s");
        settings.put("autovacuum", "on");
        settings.put("ssl", certificate == null ? "off" : "on");
        settings.put("timezone", "UTC");
        settings.put("log_timezone", "UTC");
        settings.put("log_line_prefix", "%m [%p] %q%a ");
        settings.putAll(custom);
    }

    /** Writes the settings of one server into its data directory; whatever ALTER SYSTEM left there goes. */
    void write(Path data, int number, int upstreamPort) throws IOException {
        Map<String, String> all = of(number, "127.0.0.1", upstreamPort);
        Path file = data.resolve("postgresql.conf");
        String before = Files.readString(file);
        int mark = before.indexOf(MARK);
        Files.writeString(
                file,
                (mark < 0 ? before : before.substring(0, mark))
                        + MARK
                        + all.entrySet().stream()
                                .map(setting -> setting.getKey() + " = " + inFile(setting.getValue()) + "\n")
                                .collect(Collectors.joining()));
        Files.writeString(data.resolve("postgresql.auto.conf"), "");
        if (certificate != null) {
            certificate.write(data);
        }
    }

    /** The certificate that every server begins with; {@code null} without TLS. */
    @Nullable
    Certificate certificate() {
        return certificate;
    }

    /** The settings of one server that finds its primary at this address. */
    Map<String, String> of(int number, String upstreamHost, int upstreamPort) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("cluster_name", name(number));
        all.put(
                "primary_conninfo",
                "host=%s port=%d user=%s password=%s application_name=%s sslmode=disable"
                        .formatted(
                                upstreamHost,
                                upstreamPort,
                                inConnInfo(credentials.user()),
                                inConnInfo(credentials.password()),
                                name(number)));
        return all;
    }

    /** What a server is called in {@code cluster_name} and, as a replica, in {@code pg_stat_replication}. */
    static String name(int number) {
        return "server" + number;
    }

    private static String inFile(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    private static String inConnInfo(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
