package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Printable;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.Collection;
import java.util.TreeSet;

/**
 * A policy was asked for that nobody has defined. It will not work when tried again.
 *
 * @since 0.1.0
 */
public final class UnknownPolicyException extends R2dbcNonTransientResourceException {

    private static final long serialVersionUID = 1L;

    /** A name may come from a request. */
    private static final int LONGEST_SHOWN = 80;

    /**
     * Creates the exception.
     *
     * @param asked the name that was asked for
     * @param known the names of the policies that there are
     */
    public UnknownPolicyException(String asked, Collection<String> known) {
        super("there is no policy '" + Printable.of(asked, LONGEST_SHOWN) + "', only " + new TreeSet<>(known));
    }
}
