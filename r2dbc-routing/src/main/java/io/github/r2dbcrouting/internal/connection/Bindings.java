package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Blob;
import io.r2dbc.spi.Clob;
import io.r2dbc.spi.Parameter;
import io.r2dbc.spi.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/**
 * The values of one statement, kept until it is known where it runs.
 *
 * <p>Reports wrong indexes, wrong names and missing values at the call, as the R2DBC specification asks.
 */
final class Bindings {

    private final int parameters;
    private final List<Binding[]> complete = new ArrayList<>();
    private Binding @Nullable [] current;

    Bindings(int parameters) {
        this.parameters = parameters;
    }

    /** One value; a null one with its type. */
    record Binding(@Nullable Object value, @Nullable Class<?> nullType) {}

    /** Which values can be encoded only the driver knows; that a class cannot is refused here, as the driver does. */
    void bind(int index, Object value) {
        if (value instanceof Class<?> type) {
            throw new IllegalArgumentException(
                    "a class is not a value: for a null of type " + type.getName() + " use bindNull");
        }
        put(index, new Binding(Required.argument(value, "value"), null));
    }

    void bindNull(int index, Class<?> type) {
        put(index, new Binding(null, Required.argument(type, "type")));
    }

    private void put(int index, Binding binding) {
        if (index < 0 || index >= parameters) {
            throw new IndexOutOfBoundsException(
                    "there is no parameter " + index + ": the statement has " + parameters + ", counted from 0");
        }
        Binding[] values = current;
        if (values == null) {
            values = new Binding[parameters];
            current = values;
        }
        values[index] = binding;
    }

    /** Finds the index of {@code $n}. */
    int indexOf(String name) {
        Required.argument(name, "name");
        int number = 0;
        boolean valid = name.length() >= 2 && name.length() <= 6 && name.charAt(0) == '$';
        for (int i = 1; valid && i < name.length(); i++) {
            char c = name.charAt(i);
            valid = c >= '0' && c <= '9';
            number = number * 10 + (c - '0');
        }
        if (!valid || number < 1 || number > parameters) {
            throw new NoSuchElementException("there is no parameter named '" + name + "': the statement has "
                    + (parameters == 0 ? "none" : "$1 to $" + parameters));
        }
        return number - 1;
    }

    /** Ends one set of values and begins the next. */
    void add() {
        complete.add(finished(current));
        current = null;
    }

    /**
     * Checks that every value is there, and keeps them as they are now.
     *
     * @return the sets of values, none if the statement has no parameters and none was added
     */
    List<Binding[]> finish() {
        List<Binding[]> all = new ArrayList<>(complete);
        if (parameters > 0 && (current != null || complete.isEmpty())) {
            all.add(finished(current).clone());
        } else if (parameters > 0) {
            throw new IllegalStateException("add() was called, and no values were bound after it");
        }
        return all;
    }

    private Binding[] finished(Binding @Nullable [] values) {
        if (values == null) {
            if (parameters == 0) {
                return new Binding[0];
            }
            throw new IllegalStateException("no value is bound: the statement has " + parameters + " parameters");
        }
        for (int i = 0; i < parameters; i++) {
            if (values[i] == null) {
                throw new IllegalStateException("no value is bound to parameter $" + (i + 1));
            }
        }
        return values;
    }

    /** Whether the values can be bound more than once: one that is streamed is used up. */
    static boolean repeatable(List<Binding[]> sets) {
        for (Binding[] values : sets) {
            for (Binding binding : values) {
                Object value = binding.value instanceof Parameter parameter ? parameter.getValue() : binding.value;
                if (value instanceof Blob || value instanceof Clob || value instanceof Publisher) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Binds the values on a statement of the driver. */
    static Statement replay(List<Binding[]> sets, Statement statement) {
        Statement bound = statement;
        for (int set = 0; set < sets.size(); set++) {
            if (set > 0) {
                bound = bound.add();
            }
            Binding[] values = sets.get(set);
            for (int i = 0; i < values.length; i++) {
                Object value = values[i].value;
                bound = value != null
                        ? bound.bind(i, value)
                        : bound.bindNull(i, Objects.requireNonNull(values[i].nullType));
            }
        }
        return bound;
    }
}
