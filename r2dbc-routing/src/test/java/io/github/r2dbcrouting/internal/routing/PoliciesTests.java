package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.policy.Policy;
import org.junit.jupiter.api.Test;

class PoliciesTests {

    private final Policies policies = Policies.NONE.with("near", Policy.parse("tags(near)"));

    @Test
    void knowsThoseThatAreDefinedAndTheDefaultOne() {
        assertThatCode(() -> {
                    policies.check("near");
                    policies.check(Policies.DEFAULT);
                    policies.check(null);
                })
                .doesNotThrowAnyException();
    }

    @Test
    void refusesANameThatNobodyDefined() {
        assertThatThrownBy(() -> policies.check("far"))
                .isInstanceOf(UnknownPolicyException.class)
                .hasMessageContaining("far")
                .hasMessageContaining("near");
    }
}
