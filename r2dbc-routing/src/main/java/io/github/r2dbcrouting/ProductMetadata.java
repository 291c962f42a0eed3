package io.github.r2dbcrouting;

import io.r2dbc.spi.ConnectionMetadata;

/**
 * What is said of a connection's product before a server is chosen?
 *
 * @param product the product's name
 */
record ProductMetadata(String product) implements ConnectionMetadata {

    @Override
    public String getDatabaseProductName() {
        return product;
    }

    /** Not known before a server is chosen. */
    @Override
    public String getDatabaseVersion() {
        return "unknown";
    }
}
