package io.github.r2dbcrouting.samples.shop.store;

/**
 * What did a customer want the courier to know, as one server has it?
 *
 * @param revision how often it was saved; 0 if the server has no note
 * @param text the words; empty if the server has no note
 * @param server what the server that was asked calls itself
 * @param replica whether it is a replica
 */
public record Note(long revision, String text, String server, boolean replica) {}
