package io.github.r2dbcrouting.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Lets Jazzer look for texts that harm the target which {@code -Dfuzz.target=} names: it sees which branches a text takes,
 * and makes others of those that take new ones. The profile {@code fuzz} runs it; Jazzer is on the class path only there.
 */
public final class Fuzz {

    private static final FuzzTarget TARGET = FuzzTarget.valueOf(System.getProperty("fuzz.target", "POLICY"));

    private static final int LONGEST = 2_000;

    private Fuzz() {}

    /** Called by Jazzer with each text. */
    public static void fuzzerTestOneInput(byte[] input) {
        TARGET.check(new String(input, StandardCharsets.UTF_8));
    }

    /** Looks for so many seconds, and keeps what it finds in a folder. */
    public static void main(String[] secondsAndFolder) throws IOException, ReflectiveOperationException {
        Path folder = Files.createDirectories(Path.of(secondsAndFolder[1], TARGET.name()));
        Path corpus = Files.createDirectories(folder.resolve("corpus"));
        List<String> seeds = TARGET.seeds();
        for (int i = 0; i < seeds.size(); i++) {
            Files.writeString(corpus.resolve("seed-" + i), seeds.get(i));
        }
        String[] arguments = {
            "--target_class=" + Fuzz.class.getName(),
            "--instrumentation_includes=io.github.r2dbcrouting.**",
            "--reproducer_path=" + folder,
            "-artifact_prefix=" + folder.resolve("found-"),
            "-max_total_time=" + secondsAndFolder[0],
            "-max_len=" + LONGEST,
            "-print_final_stats=1",
            corpus.toString()
        };
        Class.forName("com.code_intelligence.jazzer.Jazzer")
                .getMethod("main", String[].class)
                .invoke(null, (Object) arguments);
    }
}
