package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.text.Printable;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcPermissionDeniedException;
import java.net.ConnectException;
import java.security.GeneralSecurityException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/** What does an error of a probe mean, for people? Never repeats a URL or a password: those are in no such error. */
final class Problems {

    /** Causes may form a circle. */
    private static final int MAX_DEPTH = 20;

    /** It is what the server says, or whoever stands in its place. */
    private static final int LONGEST_SHOWN = 500;

    private Problems() {}

    static String describe(Throwable error) {
        Throwable root = error;
        for (int depth = 0; depth < MAX_DEPTH && root.getCause() != null && !hasState(root); depth++) {
            root = root.getCause();
        }
        String message = message(root);
        Throwable doubt = doubt(error);
        if (doubt != null) {
            return "cannot be trusted (" + message(doubt) + "): check its certificate, the host in its URL, sslMode and"
                    + " sslRootCert";
        }
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

    /** Not any error of TLS: a connection that breaks is one, too. The driver's refusal of a host name has no state. */
    private static @Nullable Throwable doubt(Throwable error) {
        Throwable at = error;
        for (int depth = 0; depth < MAX_DEPTH && at != null; depth++, at = at.getCause()) {
            if (at instanceof SSLHandshakeException
                    || at instanceof GeneralSecurityException
                    || (at instanceof R2dbcPermissionDeniedException && !hasState(at))) {
                return at;
            }
        }
        return null;
    }

    private static String message(Throwable error) {
        String message = error.getMessage();
        return message == null ? error.getClass().getSimpleName() : Printable.of(message, LONGEST_SHOWN);
    }

    private static boolean hasState(Throwable error) {
        return error instanceof R2dbcException known && known.getSqlState() != null;
    }
}
