package io.github.r2dbcrouting.test;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestInstanceFactoryContext;
import org.junit.jupiter.api.extension.TestInstancePreConstructCallback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which cluster does a test get? Clusters are kept for the whole run, one per kind. */
final class PostgresClusterExtension
        implements TestInstancePreConstructCallback,
                BeforeAllCallback,
                BeforeEachCallback,
                AfterEachCallback,
                ParameterResolver {

    private static final Logger log = LoggerFactory.getLogger(PostgresClusterExtension.class);
    private static final Namespace NAMESPACE = Namespace.create(PostgresClusterExtension.class);
    private static final Object STARTING = new Object();

    private record Kind(int replicas, List<String> settings) {

        PostgresCluster start() {
            PostgresClusterBuilder builder = PostgresCluster.builder().replicas(replicas);
            for (String setting : settings) {
                int equals = setting.indexOf('=');
                if (equals < 1) {
                    throw new ExtensionConfigurationException(
                            "@PostgresClusterTest: a setting has the form name=value, not: " + setting);
                }
                builder.setting(
                        setting.substring(0, equals).strip(),
                        setting.substring(equals + 1).strip());
            }
            return builder.start();
        }
    }

    /** Before the constructor, where it runs but once: it may ask the cluster which server is its primary. */
    @Override
    public void preConstructTestInstance(TestInstanceFactoryContext instance, ExtensionContext context) {
        if (context.getTestInstanceLifecycle().orElse(Lifecycle.PER_METHOD) == Lifecycle.PER_CLASS) {
            cluster(context).reset();
        }
    }

    /** What a class opens for all its tests must not be open to what the class before has left. */
    @Override
    public void beforeAll(ExtensionContext context) {
        cluster(context).reset();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        cluster(context).reset();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            // asked now, not when an appender gets to it
            String picture = cluster(context).toString();
            log.warn("{} failed; the cluster now:\n{}", context.getDisplayName(), picture);
            return;
        }
        LeakCheck check = context.getStore(NAMESPACE).get(LeakCheck.class, LeakCheck.class);
        if (check != null) {
            check.verify();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == PostgresCluster.class
                || (type == LeakCheck.class && context.getTestMethod().isPresent());
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        PostgresCluster cluster = cluster(context);
        if (parameter.getParameter().getType() == PostgresCluster.class) {
            return cluster;
        }
        Store store = context.getStore(NAMESPACE);
        LeakCheck check = store.get(LeakCheck.class, LeakCheck.class);
        if (check == null) {
            check = LeakCheck.start().watch(cluster);
            store.put(LeakCheck.class, check);
        }
        return check;
    }

    /** JUnit closes what is in the root store at the end of the run; before 5.13 it did not, and the JVM's end does. */
    private static PostgresCluster cluster(ExtensionContext context) {
        PostgresClusterTest wanted = annotation(context.getRequiredTestClass());
        Kind kind = new Kind(wanted.replicas(), List.of(wanted.settings()));
        Store store = context.getRoot().getStore(NAMESPACE);
        synchronized (STARTING) {
            PostgresCluster cluster = store.get(kind, PostgresCluster.class);
            if (cluster == null) {
                cluster = kind.start();
                store.put(kind, cluster);
            }
            return cluster;
        }
    }

    private static PostgresClusterTest annotation(Class<?> testClass) {
        @Nullable PostgresClusterTest found = null;
        // a nested class takes part in what its outer class is annotated with
        for (Class<?> type = testClass; found == null && type != null; type = type.getEnclosingClass()) {
            found = type.getAnnotation(PostgresClusterTest.class);
        }
        return Objects.requireNonNull(found, "@PostgresClusterTest");
    }
}
