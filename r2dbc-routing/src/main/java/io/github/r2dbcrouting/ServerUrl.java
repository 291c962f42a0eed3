package io.github.r2dbcrouting;

import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * What is wrong with a server's URL, said without what is secret in it?
 *
 * <p>{@link ConnectionFactoryOptions#parse} and {@link URI} repeat the whole text in their messages, with the password.
 */
final class ServerUrl {

    private ServerUrl() {}

    static ConnectionFactory open(String server, String url, boolean redact) {
        ConnectionFactoryOptions options;
        try {
            options = ConnectionFactoryOptions.parse(url);
        } catch (IllegalArgumentException malformed) {
            if (!redact) {
                throw malformed;
            }
            throw new IllegalArgumentException("the URL of server '" + server + "' " + fault(url)
                    + "; expected r2dbc:postgresql://user:password@host:port/database");
        }
        try {
            return ConnectionFactories.get(options);
        } catch (IllegalArgumentException | IllegalStateException unusable) {
            throw new IllegalArgumentException("the URL of server '" + server + "' has the driver '"
                    + options.getValue(ConnectionFactoryOptions.DRIVER)
                    + "', which is not on the class path or misses an option that it needs (host, user)");
        }
    }

    private static String fault(String url) {
        if (!url.startsWith("r2dbc:")) {
            return "does not begin with r2dbc:";
        }
        try {
            URI uri = new URI(url.substring("r2dbc:".length()));
            return uri.getHost() == null ? "names no host" : "is not a valid R2DBC URL";
        } catch (URISyntaxException fault) {
            return "has a character that a URL may not hold (percent-encode it, also in the password), or lacks a part,"
                    + " at offset " + (fault.getIndex() + "r2dbc:".length());
        }
    }
}
