package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where is a folder that is costly to make and never changes? Made once per user, under a name that stands for its
 * content; several JVMs may ask at the same time.
 */
final class Cache {

    private static final String NAME = "r2dbc-routing-test";

    /** Nobody takes this long to fill a folder: what is older was left by a process that died over it. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    private final Path root;

    Cache(Path root) {
        this.root = root;
    }

    /** Fills an empty folder. */
    @FunctionalInterface
    interface Maker {
        void fill(Path folder) throws IOException;
    }

    static Cache ofUser() {
        return new Cache(writable(userCacheFolder()));
    }

    /** The folder with that key, made now if it is not there yet. */
    Path folder(String key, Maker maker) throws IOException {
        Path made = root.resolve(key);
        if (Files.isDirectory(made)) {
            return made;
        }
        deleteAbandoned();
        Path draft = Files.createTempDirectory(root, key + ".draft");
        try {
            maker.fill(draft);
            // the rename is what makes it exist: nobody ever sees a half-filled one
            Files.move(draft, made, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(made)) {
                throw e;
            }
            // another JVM was faster, and its folder is as good
        } finally {
            FileTree.delete(draft);
        }
        return made;
    }

    private void deleteAbandoned() throws IOException {
        Instant limit = Instant.now().minus(ABANDONED);
        List<Path> drafts;
        try (Stream<Path> entries = Files.list(root)) {
            drafts = entries.filter(entry -> entry.getFileName().toString().contains(".draft"))
                    .toList();
        }
        for (Path draft : drafts) {
            if (Files.exists(draft)
                    && Files.getLastModifiedTime(draft).toInstant().isBefore(limit)) {
                FileTree.delete(draft);
            }
        }
    }

    private static @Nullable Path userCacheFolder() {
        String home = System.getProperty("user.home", "");
        String named = Platform.isWindows() ? System.getenv("LOCALAPPDATA") : System.getenv("XDG_CACHE_HOME");
        if (named != null && !named.isBlank()) {
            return Path.of(named);
        }
        // users without a home exist: those of services and of some containers
        return Path.of(home).isAbsolute() && Files.isWritable(Path.of(home)) ? Path.of(home, ".cache") : null;
    }

    private static Path writable(@Nullable Path cacheFolder) {
        if (cacheFolder != null) {
            try {
                return Files.createDirectories(cacheFolder.resolve(NAME));
            } catch (IOException e) {
                // a read-only home is no reason to fail: the temporary folder is next
            }
        }
        return ofUserIn(Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** This user's own folder in one that is shared with others. */
    static Path ofUserIn(Path shared) {
        Path folder = shared.resolve(NAME + "-" + System.getProperty("user.name", "unknown"));
        try {
            try {
                FileTree.createPrivate(folder);
            } catch (FileAlreadyExistsException e) {
                // made by an earlier run, which the check below makes sure of
            }
            Path probe = Files.createTempFile(folder, "owner", null);
            Object me = Files.getOwner(probe);
            Files.delete(probe);
            if (!Objects.equals(me, Files.getOwner(folder))) {
                throw new ClusterException(
                        folder + " belongs to somebody else; set -Djava.io.tmpdir to a folder of yours");
            }
            return folder.toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException("Could not make " + folder, e);
        }
    }
}
