package io.github.r2dbcrouting.test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.Testcontainers;

/** Servers in containers, one each; what they stream passes this JVM's proxies, as with processes. */
final class ContainerHosting implements Hosting {

    private static final String THIS_HOST = "host.testcontainers.internal";

    private final String image;
    private final Credentials credentials;
    private final ServerConfig config;

    private ContainerHosting(String image, Credentials credentials, ServerConfig config) {
        this.image = image;
        this.credentials = credentials;
        this.config = config;
    }

    static ContainerHosting of(String image, Credentials credentials, ServerConfig config) {
        try {
            if (!DockerClientFactory.instance().isDockerAvailable()) {
                throw new ClusterException("PostgreSQL is to run in containers of " + image
                        + ", but Docker cannot be reached from here. Start it, or leave containers out: the servers then"
                        + " run as processes.");
            }
        } catch (NoClassDefFoundError e) {
            throw new ClusterException(
                    "PostgreSQL is to run in containers, which takes org.testcontainers:testcontainers on the classpath",
                    e);
        }
        return new ContainerHosting(image, credentials, config);
    }

    @Override
    public ServerProcess place(int number, int upstreamPort) {
        Testcontainers.exposeHostPorts(upstreamPort);
        Map<String, String> settings = config.of(number, THIS_HOST, upstreamPort);
        settings.put("listen_addresses", "*");
        // the image sets its database up through a socket
        settings.remove("unix_socket_directories");
        List<String> arguments = new ArrayList<>();
        settings.forEach((name, value) -> {
            arguments.add("-c");
            arguments.add(name + "=" + value);
        });
        return new ContainerServer(image, credentials, THIS_HOST, upstreamPort, arguments);
    }

    @Override
    public void seed(List<PostgresServer> servers) {
        for (PostgresServer server : servers) {
            container(server).renew(server == servers.get(0) ? Role.PRIMARY : Role.REPLICA);
        }
    }

    @Override
    public void copy(PostgresServer from, PostgresServer to) {
        // it copies from whomever its upstream proxy leads to when it is launched
        container(to).renew(Role.REPLICA);
    }

    @Override
    public void certify(PostgresServer server, @Nullable Certificate certificate) {
        throw new IllegalStateException("servers in containers have no certificates");
    }

    private static ContainerServer container(PostgresServer server) {
        return (ContainerServer) server.process();
    }

    @Override
    public void close() {
        // every server has removed its container, and Testcontainers removes those of a JVM that was killed
    }
}
