package io.github.r2dbcrouting.test;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What kind of cluster is wanted? Made by {@link PostgresCluster#builder()}; not safe for use by several threads.
 *
 * @since 0.1.0
 */
public final class PostgresClusterBuilder {

    private final Map<String, String> settings = new LinkedHashMap<>();
    private int replicas;
    private @Nullable Integer major;
    private boolean fsync;
    private @Nullable String image;
    private @Nullable Certificate certificate;
    private Credentials credentials = Credentials.DEFAULT;

    PostgresClusterBuilder() {}

    /**
     * Sets how many replicas follow the primary from the start; none if it is not called.
     *
     * @param count zero or more
     * @return this builder
     */
    public PostgresClusterBuilder replicas(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("replicas: zero or more, not " + count);
        }
        replicas = count;
        return this;
    }

    /**
     * Asks for a major version of PostgreSQL. The classpath must hold its binaries; by default it holds one version, and
     * that one is taken.
     *
     * @param majorVersion 14 or higher
     * @return this builder
     */
    public PostgresClusterBuilder postgresVersion(int majorVersion) {
        if (majorVersion < 14) {
            throw new IllegalArgumentException("postgresVersion: 14 or higher, not " + majorVersion);
        }
        major = majorVersion;
        return this;
    }

    /**
     * Sets a parameter of {@code postgresql.conf} on all servers, instead of this module's choice or PostgreSQL's.
     *
     * @param name the parameter, such as {@code wal_level}
     * @param value its value, without quotes
     * @return this builder
     */
    public PostgresClusterBuilder setting(String name, String value) {
        if (!name.matches("[A-Za-z_][A-Za-z0-9_.]*")) {
            throw new IllegalArgumentException("setting: not the name of a PostgreSQL parameter: " + name);
        }
        settings.put(name, Objects.requireNonNull(value, "value"));
        return this;
    }

    /**
     * Sets whether the servers wait for their disks. Without it a crash of a server loses nothing, a crash of the
     * machine may.
     *
     * @param on off if it is not called
     * @return this builder
     */
    public PostgresClusterBuilder fsync(boolean on) {
        fsync = on;
        return this;
    }

    /**
     * Sets the superuser that clients log in as.
     *
     * @param name the role's name; {@code app} if it is not called
     * @return this builder
     */
    public PostgresClusterBuilder user(String name) {
        credentials = new Credentials(name, credentials.password(), credentials.database());
        return this;
    }

    /**
     * Sets the password of that user.
     *
     * @param secret the password, in plain text
     * @return this builder
     */
    public PostgresClusterBuilder password(String secret) {
        credentials = new Credentials(credentials.user(), secret, credentials.database());
        return this;
    }

    /**
     * Sets the database that is created and that clients connect to.
     *
     * @param name the database's name; {@code app} if it is not called
     * @return this builder
     */
    public PostgresClusterBuilder database(String name) {
        credentials = new Credentials(credentials.user(), credentials.password(), name);
        return this;
    }

    /**
     * Makes the servers take TLS connections, besides others, with a certificate for all of them. Clients reach them as
     * {@code localhost} and {@code 127.0.0.1}. Not in containers.
     *
     * @param certificateChain the certificate, then those of its issuers that clients do not have, as PEM
     * @param privateKey its private key, without a password, as PEM
     * @return this builder
     */
    public PostgresClusterBuilder tls(String certificateChain, String privateKey) {
        certificate = new Certificate(certificateChain, privateKey);
        return this;
    }

    /**
     * Runs the servers in containers instead of processes; {@code org.testcontainers:testcontainers} must be on the
     * classpath. The system property {@code r2dbc-routing.test.postgres=testcontainers} does so for all clusters, with the
     * image {@code postgres} of the version asked for, or else 18.
     *
     * @param dockerImage an image made like the official {@code postgres} one, with bash
     * @return this builder
     */
    public PostgresClusterBuilder testcontainers(String dockerImage) {
        image = Objects.requireNonNull(dockerImage, "dockerImage");
        return this;
    }

    /**
     * Starts the servers and returns when all accept connections and the replicas have what the primary has.
     *
     * @return the running cluster, to be closed by the caller
     * @throws ClusterException if a server does not come up, with the end of its log; if the servers are to run in containers, and
     *     Docker cannot be reached
     */
    public PostgresCluster start() {
        ServerConfig config = new ServerConfig(credentials, fsync, certificate, settings);
        return PostgresCluster.start(hosting(config), credentials, replicas);
    }

    private Hosting hosting(ServerConfig config) {
        String wanted = image;
        if (wanted == null && "testcontainers".equals(System.getProperty("r2dbc-routing.test.postgres"))) {
            wanted = "postgres:" + (major == null ? 18 : major);
        }
        if (wanted != null) {
            if (certificate != null) {
                throw new IllegalStateException("tls: servers in containers have no certificates");
            }
            return ContainerHosting.of(wanted, credentials, config);
        }
        Cache cache = Cache.ofUser();
        Binaries binaries = Binaries.find(cache, major);
        return new LocalHosting(binaries, new Template(cache, binaries, credentials), config);
    }
}
