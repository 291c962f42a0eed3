package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Which cluster does a data directory belong to? Copies of one template would all claim the same system identifier, and
 * two clusters with the same identifier look like one to everybody who tells them apart.
 */
final class ControlFile {

    /** A segment's first page header: 24 bytes as on every page, then the system identifier. */
    private static final int IDENTIFIER_IN_WAL = 24;

    private ControlFile() {}

    /** Gives the data directory of a server that is cleanly shut down a system identifier of its own. */
    static void newIdentity(Path data) throws IOException {
        Path file = data.resolve("global").resolve("pg_control");
        byte[] content = Files.readAllBytes(file);
        ByteBuffer control = ByteBuffer.wrap(content).order(ByteOrder.nativeOrder());
        int checksum = checksumOffset(control);
        long old = control.getLong(0);
        // as PostgreSQL makes it: seconds, then what tells apart those of one second
        long identifier = (Instant.now().getEpochSecond() << 32)
                | ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE);
        control.putLong(0, identifier);
        control.putInt(checksum, checksum(control, checksum));
        Files.write(file, content);

        List<Path> segments;
        try (Stream<Path> entries = Files.list(data.resolve("pg_wal"))) {
            segments = entries.filter(entry -> entry.getFileName().toString().matches("[0-9A-F]{24}"))
                    .toList();
        }
        for (Path segment : segments) {
            replaceInWal(segment, old, identifier);
        }
    }

    /** The checksum covers all that is before it; where it stands differs between versions. */
    private static int checksumOffset(ByteBuffer control) throws IOException {
        for (int offset = Long.BYTES; offset + Integer.BYTES <= control.limit(); offset += Integer.BYTES) {
            if (control.getInt(offset) == checksum(control, offset)) {
                return offset;
            }
        }
        throw new IOException("pg_control holds no checksum where one is expected");
    }

    private static int checksum(ByteBuffer control, int length) {
        CRC32C crc = new CRC32C();
        crc.update(control.slice(0, length));
        return (int) crc.getValue();
    }

    private static void replaceInWal(Path segment, long old, long identifier) throws IOException {
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
            // a segment made ahead of its use has no header yet
            if (channel.read(word, IDENTIFIER_IN_WAL) == Long.BYTES && word.getLong(0) == old) {
                word.putLong(0, identifier).rewind();
                if (channel.write(word, IDENTIFIER_IN_WAL) != Long.BYTES) {
                    throw new IOException("Could not write " + segment);
                }
            }
        }
    }
}
