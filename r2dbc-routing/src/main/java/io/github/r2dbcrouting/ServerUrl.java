package io.github.r2dbcrouting;

import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with a server's URL, said without what is secret in it?
 *
 * <p>{@link ConnectionFactoryOptions#parse} and {@link URI} repeat the whole text in their messages, with the password.
 */
final class ServerUrl {

    private static final Pattern DRIVER_NAME = Pattern.compile("[a-z][a-z0-9]{0,19}");

    private ServerUrl() {}

    static ConnectionFactoryOptions parse(String server, String url, boolean redact) {
        try {
            return ConnectionFactoryOptions.parse(url);
        } catch (IllegalArgumentException malformed) {
            if (!redact) {
                throw malformed;
            }
            throw new IllegalArgumentException("the URL of server '" + server + "' " + fault(url)
                    + "; expected r2dbc:postgresql://user:password@host:port/database");
        }
    }

    static ConnectionFactory open(String server, ConnectionFactoryOptions options) {
        try {
            return ConnectionFactories.get(options);
        } catch (RuntimeException unusable) {
            // its message may hold any option's value
            String culprit = culprit(options);
            throw new IllegalArgumentException(
                    culprit != null
                            ? "the driver refuses the value of the option '" + culprit + "' of server '" + server + "'"
                            : "server '" + server + "' has " + driver(options)
                                    + ", which is not on the class path or misses an option that it needs (host, user)");
        }
    }

    /** What does not look like a driver's name may be anything, a password, too. */
    private static String driver(ConnectionFactoryOptions options) {
        String name = String.valueOf(options.getValue(ConnectionFactoryOptions.DRIVER));
        return DRIVER_NAME.matcher(name).matches() ? "the driver '" + name + "'" : "a driver";
    }

    /** The option without which the driver is content. */
    private static @Nullable String culprit(ConnectionFactoryOptions options) {
        for (Option<?> option : OptionNames.given(options)) {
            if (accepted(ConnectionFactoryOptions.builder()
                    .from(options, other -> !other.equals(option))
                    .build())) {
                return option.name();
            }
        }
        return null;
    }

    private static boolean accepted(ConnectionFactoryOptions options) {
        try {
            var unused = ConnectionFactories.get(options);
            return true;
        } catch (RuntimeException refused) {
            return false;
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
