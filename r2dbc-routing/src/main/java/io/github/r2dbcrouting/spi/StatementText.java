package io.github.r2dbcrouting.spi;

/**
 * What can be told from the text of a statement alone?
 *
 * @param parameters how many values must be bound: the highest number among its markers
 * @param statements how many statements the text holds
 * @param kind whether it surely reads, surely writes, or neither is known
 * @param changesRows whether it has the form of an insert, update, delete or merge
 * @param returnsRows whether it already names what it returns of the rows that it changes
 * @param touchesDurability whether it may change if commits on its connection wait for the disk
 * @param leavesState whether it may leave something behind in its connection on which later statements rely: a setting,
 *     a temporary table, a lock
 */
public record StatementText(
        int parameters,
        int statements,
        Kind kind,
        boolean changesRows,
        boolean returnsRows,
        boolean touchesDurability,
        boolean leavesState) {

    /** Whether a replica may be asked to run it. */
    public enum Kind {
        /** It surely changes nothing, in the database and in its connection: any server may run it. */
        READ,
        /** It may read or write: its text alone does not tell. A write, unless the application says otherwise. */
        UNKNOWN,
        /** It surely writes, or needs the primary: nothing that the application says sends it to a replica. */
        WRITE
    }
}
