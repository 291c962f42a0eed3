package io.github.r2dbcrouting.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Texts that are nearly what is expected, very long ones, and those that were found to do harm once.
 *
 * <p>{@code -Dfuzz.seed=} makes the same texts again, {@code -Dfuzz.rounds=} more of them. The profile {@code fuzz} looks
 * for others.
 */
class FuzzTests {

    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 2_000);
    private static final long SEED = Long.getLong("fuzz.seed", new Random().nextLong());

    private static final int LONG = 1 << 19;

    /** What is linear takes milliseconds, what is quadratic several minutes. */
    private static final Duration NEVER = Duration.ofMinutes(1);

    /** A refusal that is put into words. */
    private static final long BYTES_OF_A_REFUSAL = 100_000;

    /** Copies, tokens and the like of a text that may be of any length. */
    private static final long BYTES_OF_A_CHARACTER = 500;

    @ParameterizedTest
    @EnumSource
    void readsWhatIsNearlyAsExpected(FuzzTarget target) {
        Mutations mutations = new Mutations(SEED);
        for (int round = 0; round < ROUNDS; round++) {
            String text = mutations.of(target.seeds());

            assertThatCode(() -> target.check(text))
                    .as("seed %d, round %d: %s", SEED, round, text)
                    .doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsWhatIsExpected(FuzzTarget target) {
        assertThat(target.seeds()).isNotEmpty().allSatisfy(target::check);
    }

    @ParameterizedTest
    @EnumSource
    void readsVeryLongTextsInTimeAndSpaceThatGrowWithThem(FuzzTarget target) {
        long most = target.limit() < LONG ? BYTES_OF_A_REFUSAL : BYTES_OF_A_CHARACTER * LONG;
        for (String fragment : Mutations.fragments()) {
            String text = target.seeds().get(0) + fragment.repeat(LONG / fragment.length());

            assertTimeoutPreemptively(NEVER, () -> {
                long before = allocated();
                target.check(text);
                assertThat(allocated() - before).as("bytes for '%s'…", fragment).isLessThan(most);
            });
        }
    }

    static Stream<FuzzTarget> limited() {
        return Stream.of(FuzzTarget.values()).filter(target -> target.limit() < LONG);
    }

    /** Longer ones are refused unread, so what grows too fast would not show above. */
    @ParameterizedTest
    @MethodSource("limited")
    void readsTextsThatAreJustNotTooLongInTime(FuzzTarget target) {
        int limit = target.limit();
        for (String seed : target.seeds()) {
            for (String fragment : Mutations.fragments()) {
                String text = (seed + fragment.repeat(limit / fragment.length() + 1)).substring(0, limit);

                assertTimeoutPreemptively(NEVER, () -> target.check(text));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsWhatOnceDidHarm(FuzzTarget target) throws IOException, URISyntaxException {
        for (String text : found(target)) {
            assertThatCode(() -> target.check(text)).as("%s", text).doesNotThrowAnyException();
        }
    }

    @Test
    void findsWhatDidHarm() throws IOException, URISyntaxException {
        assertThat(found(FuzzTarget.POLICY)).isNotEmpty();
    }

    private static List<String> found(FuzzTarget target) throws IOException, URISyntaxException {
        Path all = Path.of(
                Objects.requireNonNull(FuzzTests.class.getResource("found")).toURI());
        Path folder = all.resolve(target.name());
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(FuzzTests::text).toList();
        }
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** What this thread has allocated so far: what others do at the same time does not count. */
    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
