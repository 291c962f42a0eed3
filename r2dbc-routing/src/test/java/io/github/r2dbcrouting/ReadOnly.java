package io.github.r2dbcrouting;

import io.r2dbc.spi.Option;
import io.r2dbc.spi.TransactionDefinition;

/** A transaction that is declared read-only, or read-write, as Spring declares each. */
record ReadOnly(boolean readOnly) implements TransactionDefinition {

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getAttribute(Option<T> option) {
        return option.equals(READ_ONLY) ? (T) Boolean.valueOf(readOnly) : null;
    }
}
