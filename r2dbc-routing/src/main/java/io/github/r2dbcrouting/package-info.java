/**
 * What an application uses: the routing connection factory, what a subscription may ask of it, and what it answers.
 */
@NullMarked
package io.github.r2dbcrouting;

import org.jspecify.annotations.NullMarked;
