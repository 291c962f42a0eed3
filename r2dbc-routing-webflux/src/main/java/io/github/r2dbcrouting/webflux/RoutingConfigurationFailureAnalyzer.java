package io.github.r2dbcrouting.webflux;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** What is printed when an application does not start because of what it says of routing? */
class RoutingConfigurationFailureAnalyzer extends AbstractFailureAnalyzer<RoutingConfigurationException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, RoutingConfigurationException cause) {
        return new FailureAnalysis(cause.getMessage(), cause.action(), cause);
    }
}
