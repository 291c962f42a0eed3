package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Has this text been read before, and did a replica refuse it?
 *
 * <p>Applications run few distinct texts, many times. One that builds texts with values in them fills any cache with
 * entries that are never asked for again: so there are two generations, and what is not asked for while one fills up is
 * dropped with it. What both hold is bounded in characters. Safe for use by many threads.
 */
final class StatementTexts {

    /** Longer ones are read each time. */
    static final int MAX_CACHED_LENGTH = 16_384;

    /** What either generation takes. */
    static final int MAX_CHARACTERS = 4_000_000;

    static final int MAX_LEARNED = 8_192;

    /** What an entry takes besides its text, in characters. */
    private static final int OVERHEAD = 100;

    private volatile Read read;

    /** By hash: of two texts with the same one both count as writes, which does no harm. */
    private final Generations<Long, Boolean> refused = new Generations<>(MAX_LEARNED);

    StatementTexts(Functions functions) {
        this.read = new Read(functions, new Generations<>(MAX_CHARACTERS));
    }

    /** What was read holds as long as the functions that it was read by. */
    private record Read(Functions functions, Generations<String, StatementText> texts) {

        void keep(String sql, StatementText text) {
            if (sql.length() <= MAX_CACHED_LENGTH) {
                texts.put(sql, text, weight(sql));
            }
        }
    }

    /** From now on texts are read by these functions; those that were read before, too, if they are others. */
    void know(Functions functions) {
        if (!functions.equals(read.functions)) {
            read = new Read(functions, new Generations<>(MAX_CHARACTERS));
        }
    }

    StatementText read(String sql) {
        Read now = read;
        StatementText text = now.texts.get(sql, weight(sql));
        if (text == null) {
            text = StatementReader.read(sql, now.functions);
            if (refused.get(hash(sql), 1) != null) {
                text = asWrite(text);
            }
            now.keep(sql, text);
        }
        return text;
    }

    /** From now on the text counts as a write. */
    void learnWrite(String sql) {
        refused.put(hash(sql), Boolean.TRUE, 1);
        Read now = read;
        now.keep(sql, asWrite(StatementReader.read(sql, now.functions)));
    }

    private static int weight(String sql) {
        return sql.length() + OVERHEAD;
    }

    /** What the texts take at present, in characters. */
    int characters() {
        return read.texts.weight();
    }

    /** How many refused texts are remembered. */
    int learned() {
        return refused.weight();
    }

    private static StatementText asWrite(StatementText text) {
        return new StatementText(
                text.parameters(),
                text.statements(),
                StatementText.Kind.WRITE,
                text.changesRows(),
                text.returnsRows(),
                text.touchesDurability(),
                text.leavesState());
    }

    private static long hash(String sql) {
        long hash = sql.length();
        for (int i = 0; i < sql.length(); i++) {
            hash = hash * 0x9E37_79B9_7F4A_7C15L + sql.charAt(i);
            hash ^= hash >>> 32;
        }
        return hash;
    }

    /** A map that forgets what was not asked for in a while. */
    private static final class Generations<K, V> {

        private record Generation<K, V>(Map<K, V> entries, AtomicInteger weight) {
            static <K, V> Generation<K, V> empty() {
                return new Generation<>(new ConcurrentHashMap<>(), new AtomicInteger());
            }
        }

        private record Both<K, V>(Generation<K, V> young, Generation<K, V> old) {}

        private final int most;
        private volatile Both<K, V> both = new Both<>(Generation.empty(), Generation.empty());

        Generations(int most) {
            this.most = most;
        }

        @Nullable
        V get(K key, int weight) {
            Both<K, V> now = both;
            V value = now.young.entries.get(key);
            if (value == null) {
                value = now.old.entries.get(key);
                if (value != null) {
                    put(key, value, weight);
                }
            }
            return value;
        }

        int weight() {
            Both<K, V> now = both;
            return now.young.weight.get() + now.old.weight.get();
        }

        /** Two threads that find it full at the same time may drop a generation too many, which costs a reading. */
        void put(K key, V value, int weight) {
            Both<K, V> now = both;
            if (now.young.weight.get() + weight > most) {
                now = new Both<>(Generation.empty(), now.young);
                both = now;
            }
            now.young.weight.addAndGet(weight);
            now.young.entries.put(key, value);
        }
    }
}
