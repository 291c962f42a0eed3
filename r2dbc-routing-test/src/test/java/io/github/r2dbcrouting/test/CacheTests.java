package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheTests {

    @TempDir
    Path root;

    @Test
    void aFolderIsMadeOnce() throws IOException {
        AtomicInteger made = new AtomicInteger();
        Cache.Maker maker = folder -> Files.writeString(folder.resolve("file"), "content" + made.incrementAndGet());

        Path first = new Cache(root).folder("key", maker);
        Path second = new Cache(root).folder("key", maker);

        assertThat(second).isEqualTo(first);
        assertThat(made).hasValue(1);
        assertThat(first.resolve("file")).hasContent("content1");
    }

    @Test
    void whatWasHalfMadeIsMadeAgain() throws IOException {
        Cache cache = new Cache(root);
        assertThatThrownBy(() -> cache.folder("key", folder -> {
                    Files.writeString(folder.resolve("half"), "");
                    throw new IOException("died");
                }))
                .hasMessage("died");
        assertThat(root).isEmptyDirectory();

        Path made = cache.folder("key", folder -> Files.writeString(folder.resolve("whole"), ""));

        assertThat(made).isDirectoryNotContaining("glob:**half").isDirectoryContaining("glob:**whole");
    }

    @Test
    void theFasterOfTwoWins() throws IOException {
        Cache cache = new Cache(root);

        Path made = cache.folder("key", folder -> {
            Files.writeString(folder.resolve("slower"), "");
            cache.folder("key", other -> Files.writeString(other.resolve("faster"), ""));
        });

        assertThat(made).isDirectoryContaining("glob:**faster").isDirectoryNotContaining("glob:**slower");
        assertThat(root).isDirectoryNotContaining("glob:**draft*");
    }

    @Test
    void whatDeadRunsLeftIsDeletedButNotWhatOthersAreMaking() throws IOException {
        Path abandoned = Files.createDirectory(root.resolve("key.draft1"));
        Path underWay = Files.createDirectory(root.resolve("key.draft2"));
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofHours(2))));

        Path made = new Cache(root).folder("key", folder -> Files.writeString(folder.resolve("file"), ""));

        assertThat(made).exists();
        assertThat(abandoned).doesNotExist();
        assertThat(underWay).exists();
    }
}
