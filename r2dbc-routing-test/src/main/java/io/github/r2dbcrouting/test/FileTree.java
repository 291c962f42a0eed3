package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** How are whole folders copied and deleted? */
final class FileTree {

    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

    private FileTree() {}

    /** Creates a folder that only its owner may enter, as PostgreSQL asks of a data directory. */
    static void createPrivate(Path folder) throws IOException {
        Files.createDirectory(folder, privately("rwx------"));
    }

    /** Writes a file that only its owner may read, in place of the one that is there. */
    static void writePrivate(Path file, String content) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, privately("rw-------"));
        Files.writeString(file, content);
    }

    private static FileAttribute<?>[] privately(String permissions) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    /** Copies a folder that somebody may be writing to: what vanishes meanwhile is left out. */
    static void copy(Path from, Path to, Predicate<Path> wanted) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                createPrivate(to.resolve(from.relativize(folder).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (wanted.test(from.relativize(file))) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        try {
            files.parallelStream()
                    .forEach(file ->
                            copyFile(file, to.resolve(from.relativize(file).toString())));
        } catch (UncheckedIOException e) {
            throw new IOException("Could not copy " + from + " to " + to, e);
        }
    }

    private static void copyFile(Path from, Path to) {
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ)) {
            Files.createFile(to, privately("rw-------"));
            try (FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
                long position = 0;
                long copied;
                do {
                    copied = source.transferTo(position, Long.MAX_VALUE - position, target);
                    position += copied;
                } while (copied > 0);
            }
        } catch (NoSuchFileException e) {
            if (Files.exists(from)) {
                throw new UncheckedIOException(e);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a folder with all that is in it, links themselves and not what they lead to; nothing there is fine. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
