package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.postgresql.Functions.Catalogued;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What does the catalogue add to what is known of functions, and what does it take away? */
class FunctionsTests {

    @Test
    void readsByTheCatalogueWithItsSchemaAndWithout() {
        Functions functions = catalogue(new Catalogued("billing", "total", true, false));

        assertThat(functions.kind(null, "total")).isEqualTo(Kind.READ);
        assertThat(functions.kind("billing", "total")).isEqualTo(Kind.READ);
        assertThat(functions.kind("other", "total")).isEqualTo(Kind.UNKNOWN);
        assertThat(functions.kind(null, "due")).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void takesACallWithoutASchemaForTheWorstOfAllSchemas() {
        Functions functions =
                catalogue(new Catalogued("a", "total", true, false), new Catalogued("b", "total", false, false));

        assertThat(functions.kind(null, "total")).isEqualTo(Kind.UNKNOWN);
        assertThat(functions.kind("a", "total")).isEqualTo(Kind.READ);
        assertThat(functions.kind("b", "total")).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void doesNotTrustABuiltInNameThatAVolatileFunctionHas() {
        Functions functions = catalogue(new Catalogued("public", "lower", false, true));

        assertThat(functions.kind(null, "lower")).isEqualTo(Kind.UNKNOWN);
        assertThat(functions.kind("pg_catalog", "lower")).isEqualTo(Kind.READ);
        assertThat(Functions.builtIn().kind(null, "lower")).isEqualTo(Kind.READ);
    }

    @Test
    void trustsABuiltInNameAsFarAsBothDoNothingButRead() {
        assertThat(catalogue(new Catalogued("public", "lower", true, true)).kind(null, "lower"))
                .isEqualTo(Kind.READ);
        Functions functions = catalogue(new Catalogued("public", "pg_promote", true, true));
        assertThat(functions.kind(null, "pg_promote"))
                .as("it may be PostgreSQL's own")
                .isNotEqualTo(Kind.READ);
        assertThat(functions.kind("public", "pg_promote")).isEqualTo(Kind.READ);
    }

    @Test
    void makesNoReadOfABuiltInFunctionThatWrites() {
        assertThat(catalogue(new Catalogued("public", "nextval", true, true)).kind(null, "nextval"))
                .isEqualTo(Kind.WRITE);
    }

    @Test
    void believesTheApplicationMoreThanTheCatalogue() {
        Functions functions = Functions.builtIn()
                .with(Set.of(Functions.parse("total")))
                .with(List.of(new Catalogued("public", "total", false, false)));

        assertThat(functions.kind(null, "total")).isEqualTo(Kind.READ);
        assertThat(functions.kind("public", "total")).isEqualTo(Kind.UNKNOWN);
    }

    private static Functions catalogue(Catalogued... all) {
        return Functions.builtIn().with(List.of(all));
    }
}
