package io.github.r2dbcrouting.samples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class QuickstartIT {

    @Test
    void endsWithWhatMachinesReadAndNoStaleCausalRead() throws InterruptedException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(new PrintStream(printed, true, StandardCharsets.UTF_8), false);

        int exitCode = new Quickstart(terminal, 200, 50).run();

        assertThat(exitCode).isZero();
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .last()
                .asString()
                .matches("quickstart: naive_stale=[1-9]\\d* causal_stale=0 replica_share=[01]\\.\\d\\d"
                        + " reads=3\\d\\d writes=300");
    }
}
