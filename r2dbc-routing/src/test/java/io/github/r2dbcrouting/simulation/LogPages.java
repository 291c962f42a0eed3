package io.github.r2dbcrouting.simulation;

/** Where in a log does a record begin and end, between the headers of its pages? */
final class LogPages {

    static final long PAGE = 8192;
    private static final long SEGMENT = 16L << 20;

    private LogPages() {}

    private static long header(long pageStart) {
        return pageStart % SEGMENT == 0 ? 40 : 24;
    }

    /** Where the next record begins behind the end of the last one. */
    static long start(long end) {
        return end % PAGE == 0 ? end + header(end) : end;
    }

    /** Where a record ends that begins there: at a page's end, if it fills it. */
    static long end(long start, int size) {
        long at = start;
        long left = (size + 7L) / 8 * 8;
        while (true) {
            long room = (at / PAGE + 1) * PAGE - at;
            if (left <= room) {
                return at + left;
            }
            left -= room;
            long next = at + room;
            at = next + header(next);
        }
    }

    /** The last end of a page at or before a position. */
    static long pageBefore(long position) {
        return position / PAGE * PAGE;
    }

    static String text(long position) {
        return Long.toHexString(position >>> 32).toUpperCase(java.util.Locale.ROOT)
                + '/'
                + Long.toHexString(position & 0xFFFF_FFFFL).toUpperCase(java.util.Locale.ROOT);
    }
}
