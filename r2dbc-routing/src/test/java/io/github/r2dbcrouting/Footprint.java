package io.github.r2dbcrouting;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * How many bytes does a thing hold that nothing else holds as well?
 *
 * <p>By what it is made of, not by measuring: as HotSpot lays it out with compressed references and class pointers, which
 * is its default on JDK 17 and 25. A header takes 12 bytes, a reference 4, an object a multiple of 8. What another thing
 * that was made in the same way holds, too, is shared and not counted. The benchmarks measure the same on a heap.
 */
final class Footprint {

    private static final int HEADER = 12;
    private static final int ARRAY_HEADER = 16;
    private static final int REFERENCE = 4;
    private static final Map<Class<?>, Integer> PRIMITIVES =
            Map.of(boolean.class, 1, byte.class, 1, short.class, 2, char.class, 2, int.class, 4, long.class, 8);

    private Footprint() {}

    /** The bytes of one of the things that the supplier makes. */
    static int of(Supplier<?> made) throws IllegalAccessException {
        Set<Object> held = reachableFrom(made.get());
        held.removeAll(reachableFrom(made.get()));
        int bytes = 0;
        for (Object one : held) {
            bytes += size(one);
        }
        return bytes;
    }

    private static Set<Object> reachableFrom(Object root) throws IllegalAccessException {
        Set<Object> reached = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> next = new ArrayDeque<>(List.of(root));
        while (!next.isEmpty()) {
            Object one = next.remove();
            if (!reached.add(one)) {
                continue;
            }
            if (one instanceof List<?> list) {
                next.addAll(list);
            } else if (isOurs(one.getClass())) {
                for (Field field : fields(one.getClass())) {
                    Object value = field.getType().isPrimitive() ? null : field.get(one);
                    if (value != null) {
                        next.add(value);
                    }
                }
            }
        }
        return reached;
    }

    private static int size(Object one) {
        if (one instanceof String text) {
            return padded(HEADER + REFERENCE + 4 + 1 + 1) + padded(ARRAY_HEADER + text.length());
        }
        if (one instanceof List<?> list) {
            return list.size() <= 2
                    ? padded(HEADER + 2 * REFERENCE)
                    : padded(HEADER + REFERENCE + 1) + padded(ARRAY_HEADER + REFERENCE * list.size());
        }
        if (!isOurs(one.getClass())) {
            throw new AssertionError("each holds a " + one.getClass() + " of its own");
        }
        int bytes = HEADER;
        for (Field field : fields(one.getClass())) {
            bytes += PRIMITIVES.getOrDefault(field.getType(), REFERENCE);
        }
        return padded(bytes);
    }

    private static boolean isOurs(Class<?> type) {
        return type.getName().startsWith(Footprint.class.getPackageName()) && !type.isHidden();
    }

    private static List<Field> fields(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> at = type; at != Object.class && at != null; at = at.getSuperclass()) {
            for (Field field : at.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers())) {
                    field.setAccessible(true);
                    fields.add(field);
                }
            }
        }
        return fields;
    }

    private static int padded(int bytes) {
        return (bytes + 7) / 8 * 8;
    }
}
