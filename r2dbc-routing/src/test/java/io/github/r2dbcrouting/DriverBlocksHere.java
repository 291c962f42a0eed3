package io.github.r2dbcrouting;

import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/** Where the libraries below block on an event loop, once a connection; nothing of the router is listed here. */
public final class DriverBlocksHere implements BlockHoundIntegration {

    @Override
    public void applyTo(BlockHound.Builder builder) {
        // the password exchange reads its nonce from the system's random source
        builder.allowBlockingCallsInside("com.ongres.scram.common.ScramFunctions", "nonce");
        // with TLS, each connection reads the file of its authorities again, and a seed for what it makes of them
        builder.allowBlockingCallsInside("io.r2dbc.postgresql.client.ReactorNettyClient", "registerSslHandler");
    }
}
