package io.github.r2dbcrouting.webflux.annotation;

import java.lang.reflect.Method;
import org.springframework.aop.framework.autoproxy.AbstractBeanFactoryAwareAdvisingPostProcessor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;

/**
 * Puts entries around the annotated methods of beans, before any other advice: a transaction begins within them.
 *
 * <p>A bean that has a proxy gets no other one.
 */
final class AnnotatedBeans extends AbstractBeanFactoryAwareAdvisingPostProcessor {

    private static final long serialVersionUID = 1L;

    AnnotatedBeans(AnnotatedReads reads, boolean proxyTargetClass) {
        setBeforeExistingAdvisors(true);
        setProxyTargetClass(proxyTargetClass);
        this.advisor = new DefaultPointcutAdvisor(
                new StaticMethodMatcherPointcut() {
                    @Override
                    public boolean matches(Method method, Class<?> type) {
                        return reads.of(method, type) != null;
                    }
                },
                reads.interceptor(null));
    }
}
