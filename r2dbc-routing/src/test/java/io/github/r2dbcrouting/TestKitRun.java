package io.github.r2dbcrouting;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
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
 * arguments are the classes, and with a minus before them the tests that are left out.
 */
final class TestKitRun {

    static final String PREFIX = "kit: ";

    private TestKitRun() {}

    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        Set<String> leftOut = words.stream()
                .filter(word -> word.startsWith("-"))
                .map(word -> word.substring(1))
                .collect(Collectors.toUnmodifiableSet());
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(words.stream()
                        .filter(word -> !word.startsWith("-"))
                        .map(kit -> selectClass(TestKitRun.class.getPackageName() + "." + kit))
                        .toList())
                .filters((PostDiscoveryFilter) test ->
                        FilterResult.includedIf(test.getSource().filter(MethodSource.class::isInstance).stream()
                                .noneMatch(method -> leftOut.contains(((MethodSource) method).getMethodName()))))
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
}
