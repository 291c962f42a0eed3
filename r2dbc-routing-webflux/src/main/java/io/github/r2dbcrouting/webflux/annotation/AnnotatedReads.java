package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.core.BridgeMethodResolver;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Which entry holds for a method? The one said on the method, or on one that it overrides, before the one said on its
 * class or the interfaces of that.
 *
 * <p>Each pair of method and class is looked at once. Thread-safe.
 */
final class AnnotatedReads {

    private final Map<MethodClassKey, Optional<Routing>> entries = new ConcurrentHashMap<>();
    private final UnaryOperator<String> placeholders;
    private final PolicyNames policies;

    /**
     * Creates a reader of annotations.
     *
     * @param placeholders resolves those in texts
     * @param policies told of each policy that is named
     */
    AnnotatedReads(UnaryOperator<String> placeholders, PolicyNames policies) {
        this.placeholders = placeholders;
        this.policies = policies;
    }

    /**
     * Returns the entry of a method.
     *
     * @param method the method that is called, which an interface may declare
     * @param type the class or repository interface that it is called on
     * @return the entry, or {@code null} if nothing is said
     * @throws RoutingConfigurationException if what is said cannot be meant
     */
    @Nullable
    Routing of(Method method, Class<?> type) {
        MethodClassKey key = new MethodClassKey(method, type);
        Optional<Routing> known = entries.get(key);
        if (known == null) {
            known = Optional.ofNullable(read(method, ClassUtils.getUserClass(type)));
            entries.put(key, known);
        }
        return known.orElse(null);
    }

    private @Nullable Routing read(Method method, Class<?> type) {
        // a proxy has no annotations of its own: those of a repository are looked up with its interface
        if (method.isSynthetic() || method.getDeclaringClass() == Object.class || Proxy.isProxyClass(type)) {
            return null;
        }
        Method specific = BridgeMethodResolver.findBridgedMethod(ClassUtils.getMostSpecificMethod(method, type));
        String place = ClassUtils.getQualifiedMethodName(specific, type);
        MergedAnnotation<ReadFrom> own = nearest(specific, place);
        boolean reactive = returnsPublisher(specific);
        if (own != null) {
            if (!reactive) {
                throw new RoutingConfigurationException(
                        "@ReadFrom on " + place + " has no effect, since the method does not return Mono or Flux, but "
                                + specific.getReturnType().getSimpleName() + ".",
                        "Remove it, or let the method return Mono or Flux.");
            }
            if ((specific.getModifiers() & (Modifier.PRIVATE | Modifier.STATIC | Modifier.FINAL)) != 0) {
                throw new RoutingConfigurationException(
                        "@ReadFrom on " + place
                                + " has no effect, since the method is private, static or final: nothing can be put"
                                + " around it.",
                        "Put it on a method that can be overridden and is called from another bean.");
            }
            return entry(own, place);
        }
        if (!reactive || (specific.getModifiers() & (Modifier.PRIVATE | Modifier.STATIC)) != 0) {
            return null;
        }
        MergedAnnotation<ReadFrom> ofType = nearest(type, type.getName());
        return ofType == null ? null : entry(ofType, type.getName());
    }

    private Routing entry(MergedAnnotation<ReadFrom> annotation, String place) {
        Routing entry = AskedByAnnotation.entry(annotation, place, placeholders);
        if (entry.policy() != null) {
            policies.named(entry.policy(), place);
        }
        return entry;
    }

    private static boolean returnsPublisher(Method method) {
        return method.getReturnType() == Mono.class || method.getReturnType() == Flux.class;
    }

    private static @Nullable MergedAnnotation<ReadFrom> nearest(AnnotatedElement element, String place) {
        List<MergedAnnotation<ReadFrom>> all = MergedAnnotations.from(element, SearchStrategy.TYPE_HIERARCHY).stream(
                        ReadFrom.class)
                .toList();
        if (all.isEmpty()) {
            return null;
        }
        MergedAnnotation<ReadFrom> first = all.get(0);
        boolean several =
                all.stream().skip(1).anyMatch(other -> other.getAggregateIndex() == first.getAggregateIndex());
        if (several) {
            throw new RoutingConfigurationException(
                    "Several of @ReadFrom, @ReadLatest and annotations made of them stand on " + place + ".",
                    "Leave one.");
        }
        return first;
    }

    /**
     * Puts entries around what methods return.
     *
     * @param type the repository interface that they are called on, {@code null} for the class of the object
     * @return an interceptor
     */
    MethodInterceptor interceptor(@Nullable Class<?> type) {
        return invocation -> entered(invocation, type);
    }

    private @Nullable Object entered(MethodInvocation invocation, @Nullable Class<?> type) throws Throwable {
        Object target = invocation.getThis();
        Class<?> called = type != null
                ? type
                : target != null ? target.getClass() : invocation.getMethod().getDeclaringClass();
        Routing entry = of(invocation.getMethod(), called);
        Object returned = invocation.proceed();
        if (entry == null) {
            return returned;
        }
        if (returned instanceof Mono<?> mono) {
            return mono.contextWrite(entry);
        }
        return returned instanceof Flux<?> flux ? flux.contextWrite(entry) : returned;
    }
}
