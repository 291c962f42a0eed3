package io.github.r2dbcrouting.samples.shop.demo;

import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/** Where the libraries below block on an event loop, once a connection; nothing of the shop is listed here. */
public final class DriverBlocksHere implements BlockHoundIntegration {

    @Override
    public void applyTo(BlockHound.Builder builder) {
        // the password exchange reads its nonce from the system's random source
        builder.allowBlockingCallsInside("com.ongres.scram.common.ScramFunctions", "nonce");
    }
}
