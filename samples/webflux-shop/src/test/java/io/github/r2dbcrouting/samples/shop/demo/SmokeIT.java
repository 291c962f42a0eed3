package io.github.r2dbcrouting.samples.shop.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SmokeIT {

    @Test
    void endsWithWhatMachinesReadAndNoStaleRead() {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();

        int exitCode = new WebfluxShop(new PrintStream(printed, true, StandardCharsets.UTF_8)).smoke(4, 25);

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .last()
                .asString()
                .matches("webflux-shop: stale=0 failed=0 replica_share=(0\\.\\d[1-9]|0\\.[1-9]\\d|1\\.00)"
                        + " reads=100 writes=100 order=packed report=server3");
        assertThat(exitCode).isZero();
    }
}
