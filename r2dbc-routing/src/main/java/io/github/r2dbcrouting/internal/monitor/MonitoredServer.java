package io.github.r2dbcrouting.internal.monitor;

import io.r2dbc.spi.ConnectionFactory;
import java.util.List;

/**
 * One configured server, as the monitor needs it.
 *
 * @param index its place among all servers that there ever were; never given to another one
 * @param name its name
 * @param tags its tags
 * @param factory opens connections to it that belong to nobody else
 * @param weight how much of the load it shall have compared with the others
 * @param service whether it shall be used
 */
public record MonitoredServer(
        int index, String name, List<String> tags, ConnectionFactory factory, double weight, Service service) {

    /** What somebody wants of a server. */
    public enum Service {
        /** It is used as far as it can be. */
        IN_USE,
        /** It is asked, and serves no reads. */
        DISABLED,
        /** It is there no more. */
        REMOVED
    }

    /**
     * Creates a server of the usual weight that is used.
     *
     * @param index its place among the servers
     * @param name its name
     * @param tags its tags
     * @param factory opens connections to it that belong to nobody else
     */
    public MonitoredServer(int index, String name, List<String> tags, ConnectionFactory factory) {
        this(index, name, tags, factory, 1, Service.IN_USE);
    }

    /**
     * Returns the same server, which is there no more.
     *
     * @return what stays in its place
     */
    public MonitoredServer removed() {
        return new MonitoredServer(index, name, List.of(), factory, weight, Service.REMOVED);
    }

    boolean is(Service other) {
        return service == other;
    }
}
