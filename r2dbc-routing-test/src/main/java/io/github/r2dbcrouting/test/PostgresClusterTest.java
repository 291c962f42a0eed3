package io.github.r2dbcrouting.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Gives the tests of a JUnit Jupiter class a running cluster, as a parameter of type {@link PostgresCluster} of its
 * constructor, lifecycle methods and tests.
 *
 * <p>Classes that ask for the same kind of cluster share one, which ends with the test run. Before each class, and
 * before each test and its {@code @BeforeEach} methods, it is {@linkplain PostgresCluster#reset() reset}, so what a
 * {@code @BeforeAll} method creates in the database is gone by then. When a test fails, the state of the servers is logged.
 *
 * <p>A test or {@code @BeforeEach} method with a parameter of type {@link LeakCheck} gets one that watches the cluster,
 * to which it can add pools and threads; it is verified after the test's {@code @AfterEach} methods.
 *
 * @since 0.1.0
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(PostgresClusterExtension.class)
@ResourceLock("io.github.r2dbcrouting.test.PostgresCluster")
public @interface PostgresClusterTest {

    /**
     * Returns how many replicas follow the primary.
     *
     * @return zero or more
     */
    int replicas() default 0;

    /**
     * Returns parameters of {@code postgresql.conf} for all servers.
     *
     * @return each of the form {@code name=value}
     */
    String[] settings() default {};
}
