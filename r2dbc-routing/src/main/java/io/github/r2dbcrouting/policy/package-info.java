/** Which of the servers that are fresh enough may serve a read: the policy language. Pure. */
@NullMarked
package io.github.r2dbcrouting.policy;

import org.jspecify.annotations.NullMarked;
