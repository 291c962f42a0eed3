package io.github.r2dbcrouting;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the SPI's tests in a JVM of their own, and prints a line for each: a class, a test, and how it ended. */
final class TestKitRun {

    static final String PREFIX = "kit: ";

    private TestKitRun() {}

    public static void main(String[] arguments) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(TestKitBareIT.class), selectClass(TestKitPrimaryIT.class))
                .selectors(selectClass(TestKitSessionIT.class))
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
