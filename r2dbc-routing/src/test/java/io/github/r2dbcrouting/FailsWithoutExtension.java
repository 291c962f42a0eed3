package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Runs a test with, or in the profile {@code without-safeguards} without, the mechanism that it is about. */
final class FailsWithoutExtension implements InvocationInterceptor, ParameterResolver {

    private static final boolean TAKEN_AWAY = Boolean.getBoolean("without-safeguards");

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Safeguards.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return TAKEN_AWAY ? Safeguards.without(mechanism(context)) : Safeguards.all();
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        judge(invocation, context);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        judge(invocation, context);
    }

    /** Only a broken promise counts: an error on the way to it shows nothing of the mechanism. */
    private static void judge(Invocation<Void> invocation, ExtensionContext context) throws Throwable {
        if (!TAKEN_AWAY) {
            invocation.proceed();
            return;
        }
        try {
            invocation.proceed();
        } catch (AssertionError broken) {
            System.out.println(
                    "fails without " + mechanism(context) + ", as it must: " + context.getDisplayName() + ": "
                            + String.valueOf(broken.getMessage())
                                    .strip()
                                    .lines()
                                    .limit(6)
                                    .toList());
            return;
        }
        throw new AssertionError("holds without " + mechanism(context) + ", so it shows nothing of that mechanism");
    }

    private static Safeguard mechanism(ExtensionContext context) {
        return context.getRequiredTestMethod().getAnnotation(FailsWithout.class).value();
    }
}
