package io.github.r2dbcrouting.test;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where are PostgreSQL's programs? Found on the classpath, unpacked once per user and version. */
final class Binaries {

    private static final Logger log = LoggerFactory.getLogger(Binaries.class);
    private static final Pattern VERSION = Pattern.compile("^postgres \\(PostgreSQL\\) (\\d+)");

    private final Path home;
    private final String key;
    private final int major;

    private Binaries(Path home, String key, int major) {
        this.home = home;
        this.key = key;
        this.major = major;
    }

    /** The binaries on the classpath, those of {@code major} if it is named. */
    static Binaries find(Cache cache, @Nullable Integer major) {
        try {
            List<URL> archives = Collections.list(loader().getResources(Platform.archive()));
            if (archives.isEmpty()) {
                throw new ClusterException(
                        "No PostgreSQL binaries for this platform are on the classpath. Maven adds them by"
                                + " itself; with other tools add " + Platform.artifact() + " at run time.");
            }
            StringBuilder found = new StringBuilder();
            for (URL archive : archives) {
                Binaries binaries = unpacked(cache, archive);
                if (major == null || major == binaries.major) {
                    return binaries;
                }
                found.append(' ').append(binaries.major);
            }
            throw new ClusterException("PostgreSQL " + major + " was asked for, but the classpath holds only:" + found
                    + ". Choose a version " + major + ".x of " + Platform.artifact() + ".");
        } catch (IOException e) {
            throw new UncheckedIOException("Could not unpack the PostgreSQL binaries", e);
        }
    }

    Path postgres() {
        return program("postgres");
    }

    Path initdb() {
        return program("initdb");
    }

    Path pgCtl() {
        return program("pg_ctl");
    }

    int major() {
        return major;
    }

    /** What tells these binaries from others. */
    String key() {
        return key;
    }

    private Path program(String name) {
        return home.resolve("bin").resolve(Platform.isWindows() ? name + ".exe" : name);
    }

    private static ClassLoader loader() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        return context != null ? context : Objects.requireNonNull(Binaries.class.getClassLoader());
    }

    private static Binaries unpacked(Cache cache, URL archive) throws IOException {
        String key = "postgres-" + fingerprint(archive);
        Path home = cache.folder(key, folder -> {
            long start = System.nanoTime();
            unpack(archive, folder);
            log.info(
                    "Unpacked PostgreSQL's binaries to {} in {} ms; later runs find them there",
                    folder.resolveSibling(key),
                    (System.nanoTime() - start) / 1_000_000);
        });
        return new Binaries(home, key, major(home));
    }

    /** Names the content without reading it: a jar's directory holds its checksum. */
    private static String fingerprint(URL archive) throws IOException {
        URLConnection connection = archive.openConnection();
        connection.setUseCaches(false);
        if (connection instanceof JarURLConnection jar) {
            try (var file = jar.getJarFile()) {
                JarEntry entry = Objects.requireNonNull(file.getJarEntry(jar.getEntryName()));
                return "%08x-%d".formatted(entry.getCrc(), entry.getSize());
            }
        }
        CRC32 crc = new CRC32();
        try (InputStream in = connection.getInputStream()) {
            byte[] content = in.readAllBytes();
            crc.update(content);
            return "%08x-%d".formatted(crc.getValue(), content.length);
        }
    }

    private static void unpack(URL archive, Path folder) throws IOException {
        URLConnection connection = archive.openConnection();
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream();
                TarArchiveInputStream tar =
                        new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(in, 1 << 16)))) {
            TarArchiveEntry entry;
            while ((entry = tar.getNextEntry()) != null) {
                Path target = folder.resolve(entry.getName()).normalize();
                if (!target.startsWith(folder)) {
                    throw new IOException("The archive leads out of its folder: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                    continue;
                }
                Files.createDirectories(Objects.requireNonNull(target.getParent()));
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
                } else if (entry.isLink()) {
                    Files.createLink(target, folder.resolve(entry.getLinkName()));
                } else {
                    Files.copy(tar, target);
                    if ((entry.getMode() & 0100) != 0 && !target.toFile().setExecutable(true)) {
                        throw new IOException("Could not make " + target + " executable");
                    }
                }
            }
        }
    }

    private static int major(Path home) throws IOException {
        Path program = home.resolve("bin").resolve(Platform.isWindows() ? "postgres.exe" : "postgres");
        Commands.Result result = Commands.run(List.of(program.toString(), "--version"));
        Matcher version = VERSION.matcher(result.output());
        if (!version.find()) {
            throw new IOException(program + " does not run here: " + result.output());
        }
        return Integer.parseInt(version.group(1));
    }
}
