package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A right history as large as one of a long run: lists grow to 32 values, then others take their place. */
final class LargeHistory {

    private static final int SESSIONS = 64;
    private static final int LISTS = 64;
    private static final int LONGEST = 32;

    private LargeHistory() {}

    static HistoryRecorder of(int operations) {
        HistoryRecorder recorder = new HistoryRecorder();
        Random random = new Random(1);
        Map<Long, List<Long>> lists = new HashMap<>();
        long[] current = new long[LISTS];
        long next = 0;
        for (int i = 0; i < LISTS; i++) {
            current[i] = next++;
        }
        for (long value = 1; value <= operations; value++) {
            long session = random.nextInt(SESSIONS);
            int slot = random.nextInt(LISTS);
            List<Long> list = lists.computeIfAbsent(current[slot], key -> new ArrayList<>());
            if (random.nextInt(3) == 0) {
                recorder.append(session, current[slot], value).ok();
                list.add(value);
                if (list.size() == LONGEST) {
                    current[slot] = next++;
                }
            } else {
                recorder.readLists(session, current[slot]).ok(list);
            }
        }
        return recorder;
    }
}
