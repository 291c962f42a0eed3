package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import java.util.function.UnaryOperator;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;

/**
 * Makes {@link ReadFrom} and {@link ReadLatest} have their effect, unless {@code r2dbc.routing.enabled} is {@code false}.
 *
 * @since 0.1.0
 */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = "r2dbc.routing.enabled", matchIfMissing = true)
public final class ReadAnnotationsAutoConfiguration {

    ReadAnnotationsAutoConfiguration() {}

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static PolicyNames annotatedPolicyNames(
            ObjectProvider<RoutingConnectionFactory> factories, Environment environment) {
        return new PolicyNames(factories, environment.containsProperty("r2dbc.routing.stored-topology"));
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static AnnotatedReads annotatedReads(ConfigurableBeanFactory beans, PolicyNames policies) {
        UnaryOperator<String> placeholders = text -> {
            String resolved = beans.resolveEmbeddedValue(text);
            return resolved == null ? "" : resolved;
        };
        return new AnnotatedReads(placeholders, policies);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static AnnotatedBeans annotatedReadsOfBeans(AnnotatedReads reads, Environment environment) {
        return new AnnotatedBeans(reads, environment.getProperty("spring.aop.proxy-target-class", Boolean.class, true));
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static AnnotatedRepositories annotatedReadsOfRepositories(AnnotatedReads reads) {
        return new AnnotatedRepositories(reads);
    }
}
