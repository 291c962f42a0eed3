package io.github.r2dbcrouting.internal.reactive;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

class SerialTests {

    private final Serial serial = new Serial();
    private final List<String> ran = new ArrayList<>();
    private final Logger log = (Logger) LoggerFactory.getLogger(Serial.class);

    /** The failures are meant, here. */
    @BeforeEach
    void silence() {
        log.setLevel(Level.OFF);
    }

    @AfterEach
    void speak() {
        log.setLevel(null);
    }

    static List<Throwable> failures() {
        return List.of(
                new IllegalStateException("meant"), new StackOverflowError("meant"), new AssertionError("meant"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void runsTheTasksAfterOneThatFails(Throwable failure) {
        serial.execute(() -> {
            serial.execute(() -> ran.add("queued meanwhile"));
            if (failure instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) failure;
        });
        serial.execute(() -> ran.add("later"));

        assertThat(ran).containsExactly("queued meanwhile", "later");
    }

    @Test
    void runsATaskThatATaskBringsAfterIt() {
        serial.execute(() -> {
            serial.execute(() -> ran.add("second"));
            ran.add("first");
        });

        assertThat(ran).containsExactly("first", "second");
    }
}
