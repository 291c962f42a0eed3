package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Has this text been read before?
 *
 * <p>Applications run few distinct texts, many times. One that builds texts with values in them would fill any cache
 * with entries that are never asked for again, so nothing is added once it is full, and long texts never are. Safe for
 * use by many threads.
 */
final class StatementTexts {

    private static final int MAX_ENTRIES = 4_096;
    private static final int MAX_CACHED_LENGTH = 8_192;

    private final Map<String, StatementText> known = new ConcurrentHashMap<>();

    StatementText read(String sql) {
        StatementText text = known.get(sql);
        if (text == null) {
            text = StatementReader.read(sql);
            if (sql.length() <= MAX_CACHED_LENGTH && known.size() < MAX_ENTRIES) {
                known.put(sql, text);
            }
        }
        return text;
    }

    void learnWrite(String sql) {
        StatementText text = read(sql);
        StatementText write = new StatementText(
                text.parameters(),
                text.statements(),
                StatementText.Kind.WRITE,
                text.changesRows(),
                text.returnsRows(),
                text.touchesDurability(),
                text.leavesState());
        var unused = known.replace(sql, write);
    }
}
