package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * Is there a policy of each name that annotations use? Asked once all beans are there, and of beans that come later at
 * once.
 */
final class PolicyNames implements SmartInitializingSingleton {

    private static final Logger LOG = LoggerFactory.getLogger(PolicyNames.class);

    private final ObjectProvider<RoutingConnectionFactory> factories;
    private final boolean moreMayCome;
    private final Map<String, String> places = new ConcurrentHashMap<>();
    private volatile @Nullable RoutingConnectionFactory factory;

    /**
     * Creates one that knows of none yet.
     *
     * @param factories of several it is not known whose policies are meant, so nothing is checked
     * @param moreMayCome whether policies are read from the database, too, which has not happened by then
     */
    PolicyNames(ObjectProvider<RoutingConnectionFactory> factories, boolean moreMayCome) {
        this.factories = factories;
        this.moreMayCome = moreMayCome;
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
        RoutingConnectionFactory known = factories.getIfUnique();
        factory = known;
        if (known != null) {
            places.forEach((policy, place) -> check(known, policy, place));
        }
    }

    private void check(RoutingConnectionFactory factory, String policy, String place) {
        try {
            var unused = factory.explain(Routing.read().policy(policy), null);
        } catch (UnknownPolicyException unknown) {
            if (moreMayCome) {
                LOG.warn(
                        "@ReadFrom on {} names the policy '{}', which only the database can have: reads fail until it is"
                                + " read from there",
                        place,
                        policy);
                return;
            }
            throw new RoutingConfigurationException(
                    "@ReadFrom on " + place + " cannot be followed: " + unknown.getMessage() + ".",
                    "Define it, for example r2dbc.routing.policies." + policy
                            + "=tags(near); tags(far), or name another" + " one.",
                    unknown);
        }
    }
}
