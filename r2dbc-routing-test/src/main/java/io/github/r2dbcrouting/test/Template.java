package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where does a fresh data directory come from? The one with the default credentials is made once and then copied. */
final class Template {

    private static final Logger log = LoggerFactory.getLogger(Template.class);

    private final Cache cache;
    private final Binaries binaries;
    private final Credentials credentials;

    Template(Cache cache, Binaries binaries, Credentials credentials) {
        this.cache = cache;
        this.binaries = binaries;
        this.credentials = credentials;
    }

    /** Makes {@code data} the data directory of a new cluster that has never run. */
    void instantiate(Path data) throws IOException {
        // other credentials are not cached, or every random password would leave its 40 MB behind
        if (credentials.equals(Credentials.DEFAULT)) {
            Path template = cache.folder(binaries.key() + "-data-1", folder -> {
                long start = System.nanoTime();
                initialize(folder.resolve("data"));
                log.debug(
                        "Prepared an empty data directory in {} ms; later runs copy it",
                        (System.nanoTime() - start) / 1_000_000);
            });
            FileTree.copy(template.resolve("data"), data, file -> true);
        } else {
            initialize(data);
        }
        ControlFile.newIdentity(data);
    }

    private void initialize(Path data) throws IOException {
        Path secret = Files.createTempFile(data.getParent(), "password", null);
        try {
            Files.writeString(secret, credentials.password() + "\n");
            run(
                    binaries.initdb(),
                    List.of(
                            "-D",
                            data.toString(),
                            "-U",
                            credentials.user(),
                            "--pwfile=" + secret,
                            "--auth=scram-sha-256",
                            "--encoding=UTF8",
                            "--locale=C",
                            "--no-sync"),
                    "");
        } finally {
            Files.delete(secret);
        }
        if (!credentials.database().equals("postgres")) {
            // the single-user mode ends a statement at the end of its line
            String name = credentials.database().replace("\"", "\"\"").replace('\n', ' ');
            run(
                    binaries.postgres(),
                    List.of("--single", "-D", data.toString(), "-F", "postgres"),
                    "CREATE DATABASE \"" + name + "\"\n");
        }
    }

    private static void run(Path program, List<String> arguments, String input) {
        Commands.Result result = Commands.run(Platform.command(program, arguments), input);
        if (result.exitCode() != 0 || result.output().contains("ERROR:")) {
            throw new ClusterException(
                    program.getFileName() + " failed with exit code " + result.exitCode() + ":\n" + result.output());
        }
    }
}
