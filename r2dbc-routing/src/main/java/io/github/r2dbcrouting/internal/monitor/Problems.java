package io.github.r2dbcrouting.internal.monitor;

import io.r2dbc.spi.R2dbcException;
import java.net.ConnectException;
import java.util.concurrent.TimeoutException;

/** What does an error of a probe mean, for people? Never repeats a URL or a password: those are in no such error. */
final class Problems {

    /** Causes may form a circle. */
    private static final int MAX_DEPTH = 20;

    private Problems() {}

    static String describe(Throwable error) {
        Throwable root = error;
        for (int depth = 0; depth < MAX_DEPTH && root.getCause() != null && !hasState(root); depth++) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        if (root instanceof R2dbcException r2dbc && r2dbc.getSqlState() != null) {
            String state = r2dbc.getSqlState();
            if (state.startsWith("08")) {
                return "cannot be reached (" + message + "): check its address, and that it runs";
            }
            if (state.startsWith("28")) {
                return "refused the login (" + message + "): check user name and password";
            }
            return state.startsWith("3D")
                    ? "has no such database (" + message + ")"
                    : message + " (SQLSTATE " + state + ")";
        }
        if (root instanceof ConnectException) {
            return "cannot be reached (" + message + "): check its address, and that it runs";
        }
        if (root instanceof TimeoutException || root instanceof java.nio.channels.ClosedChannelException) {
            return "does not answer in time";
        }
        return message;
    }

    private static boolean hasState(Throwable error) {
        return error instanceof R2dbcException known && known.getSqlState() != null;
    }
}
