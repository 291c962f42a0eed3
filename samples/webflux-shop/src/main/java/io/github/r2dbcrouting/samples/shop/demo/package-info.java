/** What makes the shop a demonstration: servers of its own, what can be done to them, and users who do not sleep. */
@NullMarked
package io.github.r2dbcrouting.samples.shop.demo;

import org.jspecify.annotations.NullMarked;
