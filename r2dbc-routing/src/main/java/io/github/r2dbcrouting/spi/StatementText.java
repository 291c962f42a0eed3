package io.github.r2dbcrouting.spi;

/**
 * What can be told from the text of a statement alone?
 *
 * @param parameters how many values must be bound: the highest number among its markers
 * @param statements how many statements the text holds
 * @param changesRows whether it has the form of an insert, update, delete or merge
 * @param returnsRows whether it already names what it returns of the rows that it changes
 * @param touchesDurability whether it may change if commits on its connection wait for the disk
 */
public record StatementText(
        int parameters, int statements, boolean changesRows, boolean returnsRows, boolean touchesDurability) {}
