package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where does a timeline history file say that each earlier timeline was left? */
final class TimelineHistory {

    /** The parent timeline in decimal, the LSN at which it was left, a reason; comments begin with {@code #}. */
    private static final Pattern LINE =
            Pattern.compile("\\s*([0-9]{1,10})\\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(\\s.*)?");

    private TimelineHistory() {}

    /** Returns one position for each line that has the form of one; anything else is passed over. */
    static List<Position> ends(String cluster, String file) {
        List<Position> ends = new ArrayList<>();
        for (String line : file.split("\\R", -1)) {
            Matcher matcher = LINE.matcher(line);
            if (matcher.matches()) {
                long timeline = Long.parseLong(matcher.group(1));
                if (timeline >= 1 && timeline <= Integer.MAX_VALUE) {
                    ends.add(WalPosition.of(cluster, (int) timeline, matcher.group(2)));
                }
            }
        }
        return ends;
    }
}
