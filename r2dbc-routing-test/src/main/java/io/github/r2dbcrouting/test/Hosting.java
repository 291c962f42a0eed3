package io.github.r2dbcrouting.test;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where do the servers live: as processes of this machine, or in containers? */
interface Hosting extends AutoCloseable {

    /** A place for a server that has no data yet. */
    ServerProcess place(int number, int upstreamPort);

    /** Gives servers that do not run the data of a new cluster, whose primary is the first of them. */
    void seed(List<PostgresServer> servers);

    /** Gives a server that does not run the data of a running one, to be its replica. */
    void copy(PostgresServer from, PostgresServer to);

    /** Gives a server another certificate, or its first one; it must read its configuration again. */
    void certify(PostgresServer server, @Nullable Certificate certificate);

    /** Frees whatever the servers used; they must have ended. */
    @Override
    void close();
}
