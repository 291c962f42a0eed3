package io.github.r2dbcrouting.webflux;

import java.util.Locale;

/** What became of a statement, as the servers tell. */
enum Place {
    PRIMARY,
    REPLICA,
    /** Refused, since its transaction is read-only. */
    REFUSED;

    static Place of(boolean recovering) {
        return recovering ? REPLICA : PRIMARY;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
