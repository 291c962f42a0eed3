package io.github.r2dbcrouting;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests of the SPI in a JVM of their own, and prints a line for each: a class, a test, and how it ended. Its
 * arguments are the classes, with a minus before them the tests that are left out, and with a plus the only ones that
 * are not.
 */
final class TestKitRun {

    static final String PREFIX = "kit: ";

    private TestKitRun() {}

    public static void main(String[] arguments) {
        Set<String> leftOut = named("-", arguments);
        Set<String> only = named("+", arguments);
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(named("T", arguments).stream()
                        .map(kit -> selectClass(TestKitRun.class.getPackageName() + ".T" + kit))
                        .toList())
                .filters((PostDiscoveryFilter) test -> FilterResult.includedIf(test.getSource()
                        .filter(MethodSource.class::isInstance)
                        .map(method -> ((MethodSource) method).getMethodName())
                        .map(name -> !leftOut.contains(name) && (only.isEmpty() || only.contains(name)))
                        .orElse(true)))
                // a connection that the defect has broken may never answer
                .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", "30 s")
                .configurationParameter("junit.jupiter.execution.timeout.thread.mode.default", "SEPARATE_THREAD")
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    MethodSource method = (MethodSource) test.getSource().orElseThrow();
                    String type = method.getJavaClass().getSimpleName();
                    System.out.println(PREFIX + type + " " + method.getMethodName() + " " + result.getStatus());
                }
            }
        });
        // the driver's threads may outlive a connection that died in the defect that this run is about
        System.exit(0);
    }

    private static Set<String> named(String prefix, String... arguments) {
        return Stream.of(arguments)
                .filter(word -> word.startsWith(prefix))
                .map(word -> word.substring(prefix.length()))
                .collect(Collectors.toUnmodifiableSet());
    }
}
