package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * Is there a policy of each name that annotations use? Asked once all beans are there, and of beans that come later at
 * once.
 */
final class PolicyNames implements SmartInitializingSingleton {

    private final ObjectProvider<RoutingConnectionFactory> factories;
    private final Map<String, String> places = new ConcurrentHashMap<>();
    private volatile @Nullable RoutingConnectionFactory factory;

    PolicyNames(ObjectProvider<RoutingConnectionFactory> factories) {
        this.factories = factories;
    }

    void named(String policy, String place) {
        places.putIfAbsent(policy, place);
        RoutingConnectionFactory known = factory;
        if (known != null) {
            check(known, policy, place);
        }
    }

    @Override
    public void afterSingletonsInstantiated() {
        RoutingConnectionFactory known = factories.getIfAvailable();
        factory = known;
        if (known != null) {
            places.forEach((policy, place) -> check(known, policy, place));
        }
    }

    private static void check(RoutingConnectionFactory factory, String policy, String place) {
        try {
            var unused = factory.explain(Routing.read().policy(policy), null);
        } catch (UnknownPolicyException unknown) {
            throw new RoutingConfigurationException(
                    "@ReadFrom on " + place + " cannot be followed: " + unknown.getMessage() + ".",
                    "Define it, for example r2dbc.routing.policies." + policy
                            + "=tags(near); tags(far), or name another" + " one.",
                    unknown);
        }
    }
}
