package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Servers as processes of this machine, with their data in a folder that goes with the cluster. */
final class LocalHosting implements Hosting {

    private final Binaries binaries;
    private final Template template;
    private final ServerConfig config;
    private final RunFolder folder;

    LocalHosting(Binaries binaries, Template template, ServerConfig config) {
        this.binaries = binaries;
        this.template = template;
        this.config = config;
        this.folder = RunFolder.create();
    }

    private Path home(PostgresServer server) {
        return home(server.number());
    }

    private Path home(int number) {
        return folder.path().resolve("server" + number);
    }

    private Path data(PostgresServer server) {
        return home(server).resolve(Postmaster.DATA);
    }

    @Override
    public ServerProcess place(int number, int upstreamPort) {
        try {
            return new Postmaster(binaries, Files.createDirectories(home(number)));
        } catch (IOException e) {
            throw new UncheckedIOException("Could not make a folder for server " + number, e);
        }
    }

    @Override
    public void seed(List<PostgresServer> servers) {
        try {
            PostgresServer primary = servers.get(0);
            for (PostgresServer server : servers) {
                FileTree.delete(data(server));
            }
            template.instantiate(data(primary));
            for (PostgresServer server : servers) {
                if (server != primary) {
                    FileTree.copy(data(primary), data(server), file -> true);
                    finish(server, Role.REPLICA);
                }
            }
            finish(primary, Role.PRIMARY);
        } catch (IOException e) {
            throw new UncheckedIOException("Could not prepare the servers' data", e);
        }
    }

    @Override
    public void copy(PostgresServer from, PostgresServer to) {
        try {
            FileTree.delete(data(to));
            BaseBackup.take(from, data(from), data(to), binaries.major());
            finish(to, Role.REPLICA);
        } catch (IOException e) {
            throw new UncheckedIOException("Could not copy " + from + " to " + to, e);
        }
    }

    @Override
    public void certify(PostgresServer server, @Nullable Certificate certificate) {
        Certificate wanted = certificate == null ? config.certificate() : certificate;
        if (wanted == null || config.certificate() == null) {
            throw new IllegalStateException("the servers take no TLS connections: PostgresClusterBuilder.tls");
        }
        try {
            wanted.write(data(server));
        } catch (IOException e) {
            throw new UncheckedIOException("Could not write the certificate of " + server, e);
        }
    }

    private void finish(PostgresServer server, Role role) throws IOException {
        config.write(data(server), server.number(), server.links().upstreamPort());
        if (role == Role.REPLICA) {
            Files.writeString(data(server).resolve(Postmaster.STANDBY_SIGNAL), "");
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
