package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An application that is built as somebody else would, who has this project's artifacts from a repository: by Maven, in a
 * folder of its own, with a local repository under {@code target}. Nothing is installed elsewhere.
 *
 * <p>Maven is offline: what it needs besides, it finds in the local repository of the running build, which it may read as
 * files.
 */
final class FreshApplication {

    private static final Path SOURCES = Path.of("src", "it", "fresh-application");
    private static final Path FOLDER = Path.of("target", "fresh-application").toAbsolutePath();
    private static final Path REPOSITORY = FOLDER.resolve("repository");
    private static final Path APPLICATION = FOLDER.resolve("application");
    private static final String VERSION = System.getProperty("build.version");

    private FreshApplication() {}

    /** Builds it; what an earlier build fetched into its repository is used again. */
    static void build() throws IOException, InterruptedException {
        stage("r2dbc-routing-parent", Path.of("..", "pom.xml"), null);
        stage("r2dbc-routing", Path.of("..", "r2dbc-routing", "pom.xml"), Path.of("..", "r2dbc-routing", "target"));
        stage("r2dbc-routing-webflux", Path.of("pom.xml"), Path.of("target"));
        copy(SOURCES, APPLICATION);
        Path log = FOLDER.resolve("build.log");
        String maven = System.getProperty("build.maven");
        String suffix = File.separatorChar == '\\' ? ".cmd" : "";
        ProcessBuilder command = new ProcessBuilder(
                        Path.of(maven, "bin", "mvn" + suffix).toString(),
                        "-B",
                        "-ntp",
                        "-o",
                        "-Daether.offline.protocols=file",
                        "-s",
                        APPLICATION.resolve("settings.xml").toString(),
                        "-Dmaven.repo.local=" + REPOSITORY,
                        "-Dbuild.repository="
                                + Path.of(System.getProperty("build.repository"))
                                        .toUri(),
                        "-Dboot.version=" + System.getProperty("build.boot"),
                        "-Drouting.version=" + VERSION,
                        "process-classes")
                .directory(APPLICATION.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        command.environment().put("JAVA_HOME", System.getProperty("java.home"));
        command.environment().keySet().removeAll(List.of("MAVEN_OPTS", "MAVEN_ARGS", "MAVEN_PROJECTBASEDIR"));
        Process build = command.start();
        boolean ended = build.waitFor(5, TimeUnit.MINUTES);
        assertThat(ended && build.exitValue() == 0).as(Files.readString(log)).isTrue();
    }

    /** Puts an artifact where a Maven that has installed it would have it. */
    private static void stage(String artifact, Path pom, Path jars) throws IOException {
        String name = artifact + "-" + VERSION;
        Path folder = Files.createDirectories(REPOSITORY
                .resolve(Path.of("io", "github", "r2dbcrouting", artifact))
                .resolve(VERSION));
        Files.copy(pom, folder.resolve(name + ".pom"), StandardCopyOption.REPLACE_EXISTING);
        if (jars != null) {
            Path jar = jars.resolve(name + ".jar");
            assertThat(jar).as("made by the phase package").exists();
            Files.copy(jar, folder.resolve(name + ".jar"), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Path target = to.resolve(from.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** What it runs with: its own classes, and what Maven resolved for it. */
    static String classPath() throws IOException {
        return APPLICATION.resolve(Path.of("target", "classes"))
                + File.pathSeparator
                + Files.readString(APPLICATION.resolve(Path.of("target", "classpath.txt")))
                        .trim();
    }
}
