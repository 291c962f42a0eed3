package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Do the tests themselves keep to the rules? */
class TestSourcesTests {

    private static final Path SOURCES = Path.of("src", "test", "java");

    /** A verifier that is described to its end and never run: nothing follows the expectation of the end. */
    private static final Pattern NEVER_VERIFIED =
            Pattern.compile("\\.\\s*expect(Error\\w*|Complete|Timeout)\\s*\\([^;]*?\\)\\s*;");

    private static final Pattern SLEEPS = Pattern.compile("\\b(Thread|TimeUnit\\.\\w+)\\s*\\.\\s*sleep\\s*\\(");

    private static final Pattern STRING = Pattern.compile("\"\"\".*?\"\"\"|\"(\\\\.|[^\"\\\\\\n])*\"", Pattern.DOTALL);

    @Test
    void verifyEveryVerifier() {
        assertThat(offences("x.expectError();", NEVER_VERIFIED)).hasSize(1);
        assertThat(offences("x.expectNext(1)\n  .expectComplete()\n ;", NEVER_VERIFIED))
                .hasSize(1);
        assertThat(offences("x.expectErrorSatisfies(e -> y(e)).verify();", NEVER_VERIFIED))
                .isEmpty();
        assertThat(offences("x.expectComplete().verify(LIMIT);", NEVER_VERIFIED))
                .isEmpty();

        assertThat(inAllSources(NEVER_VERIFIED)).isEmpty();
    }

    @Test
    void waitForNothingBySleeping() {
        assertThat(offences("Thread.sleep(5);", SLEEPS)).hasSize(1);
        assertThat(offences("TimeUnit.SECONDS.sleep(5);", SLEEPS)).hasSize(1);
        assertThat(offences("asleep();", SLEEPS)).isEmpty();

        assertThat(inAllSources(SLEEPS)).isEmpty();
    }

    @Test
    void areNamedAsTheBuildExpects() {
        List<String> misnamed = new ArrayList<>();
        forEachSource((file, text) -> {
            String name = file.getFileName().toString();
            boolean holdsTests = text.contains("\n    @Test\n") || text.contains("\n    @ParameterizedTest\n");
            if (holdsTests && !name.endsWith("Tests.java") && !name.endsWith("IT.java")) {
                misnamed.add(name);
            }
        });

        assertThat(misnamed).isEmpty();
    }

    private static List<String> inAllSources(Pattern pattern) {
        List<String> all = new ArrayList<>();
        forEachSource((file, text) -> offences(text, pattern).forEach(found -> all.add(file + ": " + found)));
        return all;
    }

    private static List<String> offences(String source, Pattern pattern) {
        List<String> found = new ArrayList<>();
        Matcher matcher = pattern.matcher(STRING.matcher(source).replaceAll("\"\""));
        while (matcher.find()) {
            if (!matcher.group().contains(".verify")) {
                found.add(matcher.group());
            }
        }
        return found;
    }

    private static void forEachSource(java.util.function.BiConsumer<Path, String> action) {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            List<Path> sources =
                    files.filter(file -> file.toString().endsWith(".java")).toList();
            assertThat(sources).hasSizeGreaterThan(10);
            for (Path source : sources) {
                action.accept(source, Files.readString(source));
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
