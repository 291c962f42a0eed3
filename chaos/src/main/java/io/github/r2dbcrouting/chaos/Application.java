package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RoutingConnectionFactory;

/**
 * One that users use.
 *
 * @param name what it is called
 * @param router how it gets to the servers
 */
record Application(String name, RoutingConnectionFactory router) {}
