package io.github.r2dbcrouting.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What does a source say of one server? It holds no credentials: those are the application's.
 *
 * @param name what the server is called
 * @param host where it is; {@code null} if the source speaks of a server that others know
 * @param port its port; {@code null} for that of the application's URL
 * @param tags its tags; {@code null} if the source says nothing of them
 * @param weight how much of the load it shall have compared with the others; {@code null} if the source says nothing of it
 * @param enabled whether it shall serve reads
 * @since 0.1.0
 */
public record ServerDescription(
        String name,
        @Nullable String host,
        @Nullable Integer port,
        @Nullable List<String> tags,
        @Nullable Double weight,
        boolean enabled) {

    /**
     * Copies the tags.
     *
     * @param name what the server is called
     * @param host where it is, or {@code null}
     * @param port its port, or {@code null}
     * @param tags its tags, or {@code null}
     * @param weight its weight, or {@code null}
     * @param enabled whether it shall serve reads
     */
    public ServerDescription {
        tags = tags == null ? null : List.copyOf(tags);
    }

    /**
     * Creates a description of an address, and of nothing else.
     *
     * @param name what the server is called
     * @param host where it is
     * @param port its port; {@code null} for that of the application's URL
     */
    public ServerDescription(String name, String host, @Nullable Integer port) {
        this(name, host, port, null, null, true);
    }
}
