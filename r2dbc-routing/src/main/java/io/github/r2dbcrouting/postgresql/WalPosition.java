package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.Position;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How far has a PostgreSQL server come in its write-ahead log?
 *
 * <p>An LSN means something only together with the cluster and the timeline that it lies on: after a promotion two
 * timelines hold different records at the same LSN.
 *
 * @param cluster the system identifier of the cluster, in decimal
 * @param timeline the timeline, at least 1
 * @param lsn the byte position in the log, as an unsigned number
 * @since 0.1.0
 */
public record WalPosition(String cluster, int timeline, long lsn) implements Position {

    private static final String PREFIX = "pg";
    private static final Pattern LSN = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

    /** XLOG_BLCKSZ, and the sizes of XLogPageHeaderData and XLogLongPageHeaderData. */
    private static final int PAGE_SIZE = 8192;

    private static final int PAGE_HEADER = 24;
    private static final int SEGMENT_HEADER = 40;

    private static final Pattern TEXT =
            Pattern.compile(PREFIX + "\\.([0-9]{1,20})\\.([0-9a-f]{1,8})\\.([0-9a-f]{1,16})");

    /**
     * Reads an LSN as PostgreSQL prints it.
     *
     * @param cluster the system identifier of the cluster
     * @param timeline the timeline
     * @param lsn two hexadecimal numbers with a slash between them, for example {@code 0/3076018}
     * @return the position
     * @throws IllegalArgumentException if the text has another form
     */
    public static WalPosition of(String cluster, int timeline, String lsn) {
        Matcher matcher = LSN.matcher(lsn);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("an LSN has the form XXXXXXXX/XXXXXXXX, not '" + lsn + "'");
        }
        long high = Long.parseLong(matcher.group(1), 16);
        long low = Long.parseLong(matcher.group(2), 16);
        return new WalPosition(cluster, timeline, high << 32 | low);
    }

    /**
     * Reads what {@link #text()} wrote.
     *
     * @param text any text
     * @return the position, or {@code null} if the text is not one
     */
    public static @Nullable WalPosition parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        int timeline = Integer.parseUnsignedInt(matcher.group(2), 16);
        return timeline == 0
                ? null
                : new WalPosition(
                        ClusterNames.shared(matcher.group(1)), timeline, Long.parseUnsignedLong(matcher.group(3), 16));
    }

    /**
     * Where the log ends right behind the header of a page that holds no record yet, an idle replica stands before that
     * header for good: then the page's start is returned, which has the same records before it. Behind a short header a
     * record may end where a long one would: it began before the page, so no replica stands at the page's start without
     * having replayed it.
     */
    WalPosition withoutPageHeader() {
        long offset = lsn & (PAGE_SIZE - 1);
        boolean emptyPage = offset == PAGE_HEADER || offset == SEGMENT_HEADER;
        return emptyPage ? new WalPosition(cluster, timeline, lsn - offset) : this;
    }

    @Override
    public boolean covers(Position other) {
        return other instanceof WalPosition that && timeline == that.timeline && reaches(that);
    }

    @Override
    public OptionalLong bytesTo(Position ahead) {
        return ahead.covers(this) ? OptionalLong.of(((WalPosition) ahead).lsn - lsn) : OptionalLong.empty();
    }

    @Override
    public long branch() {
        return Integer.toUnsignedLong(timeline);
    }

    @Override
    public boolean reaches(Position other) {
        return other instanceof WalPosition that
                && Long.compareUnsigned(lsn, that.lsn) >= 0
                && cluster.equals(that.cluster);
    }

    @Override
    public OptionalLong bytesBehind(Position ahead) {
        return ahead instanceof WalPosition that && cluster.equals(that.cluster)
                ? OptionalLong.of(reaches(that) ? 0 : that.lsn - lsn)
                : OptionalLong.empty();
    }

    @Override
    public WalPosition onBranch(long branch) {
        return branch == branch() ? this : new WalPosition(cluster, (int) branch, lsn);
    }

    @Override
    public String text() {
        return PREFIX + '.' + cluster + '.' + Integer.toHexString(timeline) + '.' + Long.toHexString(lsn);
    }

    /** Returns the position for people, for example {@code 0/3076018 on timeline 1}. */
    @Override
    public String toString() {
        return Long.toHexString(lsn >>> 32).toUpperCase(java.util.Locale.ROOT)
                + '/'
                + Long.toHexString(lsn & 0xFFFF_FFFFL).toUpperCase(java.util.Locale.ROOT)
                + " on timeline "
                + Integer.toUnsignedString(timeline);
    }
}
