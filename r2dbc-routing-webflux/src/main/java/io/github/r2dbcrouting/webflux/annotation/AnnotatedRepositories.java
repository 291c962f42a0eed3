package io.github.r2dbcrouting.webflux.annotation;

import java.util.Arrays;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.data.repository.core.support.RepositoryFactoryBeanSupport;

/**
 * Puts entries around the annotated methods of Spring Data repositories, before any other advice. What stands on their
 * interfaces cannot be seen from the object behind them.
 */
final class AnnotatedRepositories implements BeanPostProcessor {

    private final AnnotatedReads reads;

    AnnotatedRepositories(AnnotatedReads reads) {
        this.reads = reads;
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String name) {
        if (bean instanceof RepositoryFactoryBeanSupport<?, ?, ?> repositories) {
            repositories.addRepositoryFactoryCustomizer(factory ->
                    factory.addRepositoryProxyPostProcessor((proxy, repository) -> {
                        Class<?> type = repository.getRepositoryInterface();
                        boolean annotated = Arrays.stream(type.getMethods())
                                        .filter(method -> reads.of(method, type) != null)
                                        .count()
                                > 0;
                        if (annotated) {
                            proxy.addAdvice(0, reads.interceptor(type));
                        }
                    }));
        }
        return bean;
    }
}
