package io.github.r2dbcrouting;

import io.r2dbc.pool.ConnectionPool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jetbrains.lincheck.jvm.agent.InstrumentationMode;
import org.jetbrains.lincheck.jvm.agent.LincheckClassFileTransformer;
import org.jetbrains.lincheck.jvm.agent.LincheckInstrumentation;
import reactor.core.Exceptions;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.pool.Pool;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * Which classes does Lincheck leave as they are, although scenarios run through them?
 *
 * <p>Those of Reactor and its pool, and those of the JDK that are a thread's own. What they do to their fields is one step
 * for it then, while whatever of ours they call is explored as ever, and so are the JDK's concurrent collections.
 * Otherwise a single order through a pool takes longer than it may.
 *
 * <p>Lincheck has a setting for that in other modes, but none for this one. So the classes are put where it looks for
 * those that it has rewritten already.
 */
final class LeftAlone {

    private static final List<Class<?>> ONE_OF_EACH_LIBRARY =
            List.of(Mono.class, VirtualTimeScheduler.class, Pool.class, ConnectionPool.class);

    private static final List<String> OF_THE_JDK =
            List.of("java/util/stream/", "java/util/regex/", "java/util/Formatter", "java/util/Locale");

    private static final String CLASS = ".class";

    private LeftAlone() {}

    /** To be called before the first scenario runs. */
    static void install() {
        // what initializes itself for the first time within a scenario finds Lincheck in its way
        var unused = Mono.error(Exceptions.failWithRejected())
                .onErrorComplete()
                .cache()
                .subscribeOn(Schedulers.immediate())
                .subscribe();
        LincheckInstrumentation.INSTANCE.setInstrumentationMode(InstrumentationMode.MODEL_CHECKING);
        Map<String, byte[]> rewritten = LincheckClassFileTransformer.INSTANCE.getTransformedClassesCache();
        try {
            for (Class<?> one : ONE_OF_EACH_LIBRARY) {
                URI library =
                        one.getProtectionDomain().getCodeSource().getLocation().toURI();
                try (FileSystem jar = FileSystems.newFileSystem(Path.of(library))) {
                    leaveAlone(jar.getPath("/"), List.of(""), rewritten);
                }
            }
            Path jdk = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules/java.base");
            leaveAlone(jdk, OF_THE_JDK, rewritten);
        } catch (IOException | URISyntaxException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static void leaveAlone(Path root, List<String> prefixes, Map<String, byte[]> rewritten) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            files.filter(file -> file.toString().endsWith(CLASS)).forEach(file -> {
                String path = root.relativize(file).toString();
                if (prefixes.stream().anyMatch(path::startsWith)) {
                    rewritten.put(
                            path.substring(0, path.length() - CLASS.length()).replace('/', '.'), bytes(file));
                }
            });
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
