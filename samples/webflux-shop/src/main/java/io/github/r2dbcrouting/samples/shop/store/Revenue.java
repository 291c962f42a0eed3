package io.github.r2dbcrouting.samples.shop.store;

/**
 * What came in with one product?
 *
 * @param name what it is called
 * @param sold how many were sold
 * @param cents for how much
 * @param server what the server that counted calls itself
 */
public record Revenue(String name, long sold, long cents, String server) {}
