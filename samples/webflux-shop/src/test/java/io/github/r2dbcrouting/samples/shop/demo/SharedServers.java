package io.github.r2dbcrouting.samples.shop.demo;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Servers that are started once for all classes of tests, and are as good as new before each of them. */
final class SharedServers implements BeforeAllCallback, ParameterResolver {

    @Override
    public void beforeAll(ExtensionContext context) {
        servers(context).reset();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == DemoServers.class;
    }

    @Override
    public DemoServers resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return servers(context);
    }

    /** The store closes them with the last test. */
    private static DemoServers servers(ExtensionContext context) {
        return context.getRoot()
                .getStore(Namespace.create(SharedServers.class))
                .computeIfAbsent(DemoServers.class, key -> DemoServers.start(), DemoServers.class);
    }
}
