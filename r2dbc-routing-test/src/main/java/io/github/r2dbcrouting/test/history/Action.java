package io.github.r2dbcrouting.test.history;

/**
 * What does an operation do?
 *
 * @since 0.1.0
 */
public enum Action {
    /** Appends a value to a list. */
    APPEND,
    /** Reads whole lists, in one snapshot. */
    READ_LISTS,
    /** Sets a register to a value. */
    SET,
    /** Reads registers, in one snapshot. */
    READ_REGISTERS;

    boolean writes() {
        return this == APPEND || this == SET;
    }

    boolean ofLists() {
        return this == APPEND || this == READ_LISTS;
    }
}
