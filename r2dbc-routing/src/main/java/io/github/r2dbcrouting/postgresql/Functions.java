package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.internal.text.Printable;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What may calling a function of some name do?
 *
 * <p>Immutable. Knows the built-in functions, those of which the application says that they only read, and what the
 * catalogue says of its own.
 */
final class Functions {

    /** One function's name; without a schema it is how calls without one are written. */
    record Name(@Nullable String schema, String name) {}

    /**
     * What the catalogue says of the functions of one name in one schema that is not PostgreSQL's own.
     *
     * @param reads whether all of them are functions that are declared to change nothing
     * @param builtIn whether PostgreSQL has functions of that name as well
     */
    record Catalogued(String schema, String name, boolean reads, boolean builtIn) {}

    private static final int LONGEST_SHOWN = 80;

    private static final Pattern NAME = Pattern.compile("(?:([a-z_][a-z0-9_$]*)\\.)?([a-z_][a-z0-9_$]*)");

    static final String BUILT_IN_SCHEMA = "pg_catalog";

    private static final Set<String> SAFE = load();

    /** What writes, what a standby refuses, and what runs a text that may do either. */
    private static final Set<String> WRITING = words("""
            nextval setval currval lastval txid_current pg_current_xact_id pg_notify loread lowrite
            query_to_xml query_to_xml_and_xmlschema query_to_xmlschema cursor_to_xml cursor_to_xmlschema
            ts_stat ts_rewrite pg_logical_emit_message pg_create_restore_point pg_switch_wal pg_backup_start
            pg_backup_stop pg_walfile_name pg_walfile_name_offset pg_current_wal_lsn pg_current_wal_flush_lsn
            pg_current_wal_insert_lsn pg_export_snapshot pg_import_system_collations pg_log_standby_snapshot
            pg_sync_replication_slots pg_nextoid pg_stop_making_pinned_objects pg_extension_config_dump
            pg_restore_relation_stats pg_restore_attribute_stats pg_clear_relation_stats pg_clear_attribute_stats
            pg_create_logical_replication_slot pg_create_physical_replication_slot pg_drop_replication_slot
            pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_replication_slot_advance
            pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes
            pg_logical_slot_peek_binary_changes brin_summarize_new_values brin_summarize_range brin_desummarize_range
            gin_clean_pending_list set_config setseed
            """);

    /** What leaves something behind in the connection, also on a standby. */
    private static final Set<String> LEAVING_STATE = words("set_config setseed pg_export_snapshot lo_open lo_creat");

    private final Set<Name> declared;

    /** Whether calls only read, by how they are written: without a schema it may be any function of that name. */
    private final Map<Name, Boolean> catalogue;

    private Functions(Set<Name> declared, Map<Name, Boolean> catalogue) {
        this.declared = declared;
        this.catalogue = catalogue;
    }

    /** The names of the built-in functions that only read, sorted. */
    static List<String> safe() {
        return SAFE.stream().sorted().toList();
    }

    /** Nothing but the built-in functions is known. */
    static Functions builtIn() {
        return new Functions(Set.of(), Map.of());
    }

    /** Knows more functions that only read. */
    Functions with(Set<Name> readOnly) {
        Set<Name> all = new HashSet<>(declared);
        all.addAll(readOnly);
        return new Functions(Set.copyOf(all), catalogue);
    }

    /** Knows what the catalogue says now, and no longer what it said before. */
    Functions with(Collection<Catalogued> all) {
        Map<Name, Boolean> names = new HashMap<>();
        for (Catalogued function : all) {
            boolean anyOfThatName = function.reads && (!function.builtIn || SAFE.contains(function.name));
            names.put(new Name(function.schema, function.name), function.reads);
            names.merge(new Name(null, function.name), anyOfThatName, Boolean::logicalAnd);
        }
        return new Functions(declared, Map.copyOf(names));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Functions functions
                && functions.declared.equals(declared)
                && functions.catalogue.equals(catalogue);
    }

    @Override
    public int hashCode() {
        return 31 * declared.hashCode() + catalogue.hashCode();
    }

    /** Reads how an application names a function: with its schema or without one, folded to lower case. */
    static Name parse(String name) {
        String folded = name.toLowerCase(Locale.ROOT);
        Matcher matcher = NAME.matcher(folded);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("a read-only function is named like total or billing.total, without"
                    + " arguments, parentheses and quotes, not '" + Printable.of(name, LONGEST_SHOWN) + "'");
        }
        Name parsed = new Name(matcher.group(1), matcher.group(2));
        boolean maybeBuiltIn = parsed.schema == null || parsed.schema.equals(BUILT_IN_SCHEMA);
        if (maybeBuiltIn && writes(parsed.name)) {
            throw new IllegalArgumentException("the function '" + name + "' is PostgreSQL's own, and needs the primary;"
                    + " one of that name in a schema of yours is named with it");
        }
        return parsed;
    }

    /** What a call does, written with this schema or without one. */
    Kind kind(@Nullable String schema, String name) {
        boolean maybeBuiltIn = schema == null || schema.equals(BUILT_IN_SCHEMA);
        if (maybeBuiltIn && writes(name)) {
            return Kind.WRITE;
        }
        Name called = new Name(schema, name);
        Boolean catalogued = declared.contains(called) ? Boolean.TRUE : catalogue.get(called);
        // one that writes may be meant by the name of a built-in one that reads
        boolean reads = catalogued == null ? maybeBuiltIn && SAFE.contains(name) : catalogued;
        return reads ? Kind.READ : Kind.UNKNOWN;
    }

    /** Whether a call may leave something behind in its connection. */
    boolean leavesState(@Nullable String schema, String name) {
        boolean maybeBuiltIn = schema == null || schema.equals(BUILT_IN_SCHEMA);
        return maybeBuiltIn && (LEAVING_STATE.contains(name) || locksOrConnects(name));
    }

    private static boolean writes(String name) {
        return WRITING.contains(name)
                || locksOrConnects(name)
                || name.startsWith("lo_")
                || (name.startsWith("pg_replication_origin_") && !SAFE.contains(name))
                || name.startsWith("binary_upgrade_");
    }

    private static boolean locksOrConnects(String name) {
        return name.startsWith("pg_advisory_") || name.startsWith("pg_try_advisory_") || name.startsWith("dblink");
    }

    private static Set<String> words(String text) {
        return Set.of(text.strip().split("\\s+"));
    }

    private static Set<String> load() {
        try (InputStream file = Functions.class.getResourceAsStream("safe-functions.txt");
                BufferedReader lines = new BufferedReader(new InputStreamReader(
                        Objects.requireNonNull(file, "safe-functions.txt is missing"), StandardCharsets.UTF_8))) {
            return lines.lines().filter(line -> !line.startsWith("#")).collect(Collectors.toUnmodifiableSet());
        } catch (IOException e) {
            throw new UncheckedIOException("safe-functions.txt cannot be read", e);
        }
    }
}
