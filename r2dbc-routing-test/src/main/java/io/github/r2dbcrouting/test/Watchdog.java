package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Who ends the servers when the JVM that started them was killed? A shell that waits for the end of its input. */
final class Watchdog {

    /**
     * Ends all servers of the folder $1 once its input ends, and deletes the folder. A process belongs to it if its working
     * directory lies there, which is true of every PostgreSQL process and cannot be true of a stranger; without /proc
     * the command line says it. SIGQUIT first: a postmaster that may still act gives its shared memory back.
     */
    private static final String SCRIPT = """
            run=$1
            trap '' HUP INT TERM
            while read -r _; do :; done
            [ -d "$run" ] || exit 0
            signal() {
              found=
              if [ -d /proc/self ]; then
                found=$(ls -ld /proc/[0-9]*/cwd 2>/dev/null | while read -r line; do
                  case $line in
                    *"/cwd -> $run/"*) pid=${line#*/proc/}; echo "${pid%%/*}" ;;
                  esac
                done)
                [ -n "$found" ] && kill -"$1" $found 2>/dev/null
              else
                for file in "$run"/*/data/postmaster.pid; do
                  pid=$(head -n 1 "$file" 2>/dev/null) || continue
                  case $(ps -o args= -p "$pid" 2>/dev/null) in
                    *"$run"*)
                      found=1
                      children=$(ps -A -o pid= -o ppid= | while read -r child parent; do
                        [ "$parent" = "$pid" ] && echo "$child"
                      done)
                      kill -"$1" "$pid" $children 2>/dev/null ;;
                  esac
                done
              fi
            }
            signal CONT
            [ -n "$found" ] && signal QUIT
            round=0
            while [ -n "$found" ] && [ $round -lt 20 ]; do
              sleep 0.1
              round=$((round + 1))
              if [ $round -lt 10 ]; then signal CONT; else signal KILL; fi
            done
            for file in "$run"/*/data/postmaster.pid; do
              segment=$(sed -n 7p "$file" 2>/dev/null) || continue
              set -- $segment
              [ -n "$2" ] && ipcrm -m "$2" 2>/dev/null
            done
            rm -rf "$run"
            """;

    private Watchdog() {}

    /** Starts one that acts when this JVM ends or closes its input. */
    static @Nullable Process start(Path run) throws IOException {
        if (Platform.isWindows()) {
            return null;
        }
        return Commands.builder(command(run))
                .directory(Objects.requireNonNull(run.getParent()).toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Ends the servers that a dead JVM left in its folder, here and now. */
    static void endServersIn(Path run) {
        if (!Platform.isWindows()) {
            Commands.run(command(run));
            return;
        }
        try (Stream<Path> servers = Files.list(run)) {
            servers.map(server -> server.resolve(Postmaster.DATA)).forEach(Watchdog::killOnWindows);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Windows tells nobody another process's arguments; its program is all there is to check. */
    private static void killOnWindows(Path data) {
        Postmaster.State state = Postmaster.read(data);
        if (state != null) {
            ProcessHandle.of(state.pid())
                    .filter(process -> process.info().command().orElse("").endsWith("postgres.exe"))
                    .ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    private static List<String> command(Path run) {
        return List.of("sh", "-c", SCRIPT, "postgres-cluster-watchdog", run.toString());
    }
}
