package io.github.r2dbcrouting.internal.monitor;

import io.r2dbc.spi.ConnectionFactory;
import java.util.List;

/**
 * One configured server, as the monitor needs it.
 *
 * @param index its place among the configured servers
 * @param name its name
 * @param tags its tags
 * @param factory opens connections to it that belong to nobody else
 */
public record MonitoredServer(int index, String name, List<String> tags, ConnectionFactory factory) {}
