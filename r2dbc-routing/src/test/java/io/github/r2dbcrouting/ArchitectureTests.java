package io.github.r2dbcrouting;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Does the code hang together as it is meant to? */
@AnalyzeClasses(
        packages = "io.github.r2dbcrouting",
        importOptions = {DoNotIncludeTests.class, ArchitectureTests.NoTestSupport.class})
class ArchitectureTests {

    /** The module of test support shares the root package, and is no part of the router. */
    static final class NoTestSupport implements ImportOption {

        @Override
        public boolean includes(Location location) {
            return !location.contains("/io/github/r2dbcrouting/test/");
        }
    }

    private static final String ROOT = "io.github.r2dbcrouting";

    private static final DescribedPredicate<JavaClass> OURS =
            resideInAPackage(ROOT + "..").as("a class of the router");

    private static final DescribedPredicate<JavaClass> API = resideInAnyPackage(
                    ROOT, ROOT + ".spi", ROOT + ".postgresql")
            .and(describe("are public", type -> type.getModifiers().contains(JavaModifier.PUBLIC)));

    @ArchTest
    static final ArchRule PACKAGES_FORM_NO_CYCLES =
            slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule INTERNAL_PACKAGES_FORM_NO_CYCLES =
            slices().matching(ROOT + ".internal.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule REQUESTS_AND_MONITOR_DO_NOT_KNOW_EACH_OTHER = noClasses()
            .that()
            .resideInAPackage("..internal.routing..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("..internal.monitor..");

    @ArchTest
    static final ArchRule MONITOR_DOES_NOT_KNOW_THE_REQUESTS = noClasses()
            .that()
            .resideInAPackage("..internal.monitor..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("..internal.routing..", "..internal.connection..");

    /** What a connection was found to have written is handed in at the monitor: the one thing besides the table. */
    @ArchTest
    static final ArchRule CONNECTIONS_KNOW_ONLY_WHERE_THE_MONITOR_TAKES_WRITES = noClasses()
            .that()
            .resideInAPackage("..internal.connection..")
            .should()
            .dependOnClassesThat(resideInAPackage("..internal.monitor..")
                    .and(describe(
                            "are not ClusterMonitor or EndedWrite",
                            type -> !Set.of("ClusterMonitor", "EndedWrite").contains(type.getSimpleName()))));

    @ArchTest
    static final ArchRule TABLE_IS_A_REFERENCE_WITH_QUESTIONS_AND_WAITERS = classes()
            .that()
            .resideInAPackage("..internal.table..")
            .and()
            .doNotHaveSimpleName("package-info")
            .should()
            .haveSimpleName("TableRef")
            .orShould()
            .haveSimpleName("Questions")
            .orShould()
            .haveNameMatching(".*\\.Watch(\\$Waiter)?");

    @ArchTest
    static final ArchRule TABLE_KNOWS_NEITHER_SIDE = noClasses()
            .that()
            .resideInAPackage("..internal.table..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("..internal.routing..", "..internal.connection..", "..internal.monitor..");

    @ArchTest
    static final ArchRule ROUTING_IS_PURE = noClasses()
            .that()
            .resideInAPackage("..internal.routing..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("reactor.core..", "io.r2dbc..", "..internal.table..", "..internal.connection..");

    @ArchTest
    static final ArchRule CORE_KNOWS_NO_FRAMEWORK_AND_NO_DRIVER = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".micrometer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.springframework..", "io.r2dbc.postgresql..", "io.micrometer..", "io.netty..");

    /** It is optional: nothing else may need it. */
    @ArchTest
    static final ArchRule NOBODY_NEEDS_THE_METERS = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".micrometer..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".micrometer..");

    @ArchTest
    static final ArchRule ONLY_THE_ROOT_NAMES_THE_ENGINE = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".postgresql..")
            .and(describe(
                    "are not in CausalToken or RoutingConnectionFactory",
                    type -> !type.getName().startsWith(ROOT + ".CausalToken")
                            && !type.getName().startsWith(ROOT + ".RoutingConnectionFactory")))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".postgresql..");

    @ArchTest
    static final ArchRule API_DOES_NOT_MENTION_INTERNALS =
            classes().that(API).should(mentionNoInternals()).allowEmptyShould(false);

    @ArchTest
    static final ArchRule NOBODY_ELSE_NAMES_AN_LSN = classes()
            .that(OURS)
            .and()
            .resideOutsideOfPackage(ROOT + ".postgresql..")
            .should(nameNoLsn());

    @Test
    void noOtherSourceSpeaksTheLanguageOfPostgres() throws IOException {
        Pattern spoken = Pattern.compile(
                "pg_|(?i:\\blsn\\b)|\\bwal_|synchronous_commit|(?i)\\b(select|insert into|update|reset|show)\\b\\s+[a-z_'*1(]");
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java"))
                    .filter(path -> !path.getParent().endsWith("postgresql"))
                    .toList()) {
                for (String text : strings(Files.readString(file))) {
                    if (spoken.matcher(text).find()) {
                        found.add(file.getFileName() + ": " + text);
                    }
                }
            }
        }

        assertThat(found).isEmpty();
    }

    @Test
    void theEngineSpeaksTheLanguageOfPostgres() throws IOException {
        String engine = Files.readString(
                Path.of("src", "main", "java", "io", "github", "r2dbcrouting", "postgresql", "PostgresEngine.java"));

        assertThat(strings(engine)).anyMatch(text -> text.contains("pg_is_in_recovery"));
    }

    /** The string literals of a source, without its comments. */
    private static List<String> strings(String source) {
        Matcher matcher = Pattern.compile(
                        "/\\*.*?\\*/|//[^\\n]*|\"\"\"(.*?)\"\"\"|\"((?:\\\\.|[^\"\\\\\\n])*)\"|'(?:\\\\.|[^'\\\\])+'",
                        Pattern.DOTALL)
                .matcher(source);
        List<String> strings = new ArrayList<>();
        while (matcher.find()) {
            String text = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
            if (text != null) {
                strings.add(text);
            }
        }
        return strings;
    }

    private static ArchCondition<JavaClass> mentionNoInternals() {
        return new ArchCondition<>("mention no internals in what others see") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                List<JavaMember> seen = new ArrayList<>();
                type.getMembers().stream().filter(ArchitectureTests::seen).forEach(seen::add);
                Set<JavaClass> mentioned = new HashSet<>();
                type.getSuperclass().ifPresent(parent -> mentioned.addAll(parent.getAllInvolvedRawTypes()));
                type.getInterfaces().forEach(parent -> mentioned.addAll(parent.getAllInvolvedRawTypes()));
                report(type, type.getName(), mentioned, events);
                for (JavaMember member : seen) {
                    report(type, member.getFullName(), signature(member), events);
                }
            }
        };
    }

    private static void report(JavaClass type, String where, Set<JavaClass> mentioned, ConditionEvents events) {
        mentioned.stream()
                .filter(internal -> internal.getPackageName().startsWith(ROOT + ".internal"))
                .forEach(internal ->
                        events.add(SimpleConditionEvent.violated(type, where + " mentions " + internal.getName())));
    }

    private static boolean seen(JavaMember member) {
        Set<JavaModifier> modifiers = member.getModifiers();
        return (modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED))
                && !modifiers.contains(JavaModifier.SYNTHETIC)
                && !modifiers.contains(JavaModifier.BRIDGE);
    }

    private static Set<JavaClass> signature(JavaMember member) {
        Set<JavaClass> mentioned = new HashSet<>();
        if (member instanceof JavaField field) {
            mentioned.addAll(field.getType().getAllInvolvedRawTypes());
        }
        if (member instanceof JavaCodeUnit unit) {
            unit.getParameterTypes().stream()
                    .map(JavaType::getAllInvolvedRawTypes)
                    .forEach(mentioned::addAll);
            unit.getExceptionTypes().stream()
                    .map(JavaType::getAllInvolvedRawTypes)
                    .forEach(mentioned::addAll);
        }
        if (member instanceof JavaMethod method) {
            mentioned.addAll(method.getReturnType().getAllInvolvedRawTypes());
        }
        return mentioned;
    }

    private static ArchCondition<JavaClass> nameNoLsn() {
        Pattern lsn = Pattern.compile("^(lsn|LSN)|Lsn|LSN|_lsn|^(wal|WAL)|Wal[A-Z]|WAL");
        return new ArchCondition<>("name neither an LSN nor a WAL") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                List<String> names = new ArrayList<>();
                names.add(type.getSimpleName());
                type.getMembers().forEach(member -> names.add(member.getName()));
                names.stream()
                        .filter(name -> lsn.matcher(name).find())
                        .forEach(name ->
                                events.add(SimpleConditionEvent.violated(type, type.getName() + " names " + name)));
            }
        };
    }
}
