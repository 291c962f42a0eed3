package io.github.r2dbcrouting.internal.monitor;

import io.r2dbc.spi.R2dbcException;
import java.net.ConnectException;
import java.util.concurrent.TimeoutException;

/** What does an error of a probe mean, for people? Never repeats a URL or a password: those are in no such error. */
final class Problems {

    private Problems() {}

    static String describe(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null
                && root.getCause() != root
                && !(root instanceof R2dbcException known && known.getSqlState() != null)) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        if (root instanceof R2dbcException r2dbc && r2dbc.getSqlState() != null) {
            return switch (r2dbc.getSqlState().substring(0, 2)) {
                case "08" -> "cannot be reached (" + message + "): check its address, and that it runs";
                case "28" -> "refused the login (" + message + "): check user name and password";
                case "3D" -> "has no such database (" + message + ")";
                default -> message + " (SQLSTATE " + r2dbc.getSqlState() + ")";
            };
        }
        if (root instanceof ConnectException) {
            return "cannot be reached (" + message + "): check its address, and that it runs";
        }
        if (root instanceof TimeoutException || root instanceof java.nio.channels.ClosedChannelException) {
            return "does not answer in time";
        }
        return message;
    }
}
