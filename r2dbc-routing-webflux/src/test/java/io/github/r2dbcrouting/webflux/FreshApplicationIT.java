package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that Maven built outside of this build, with the starter and the driver from a repository, runs in a
 * process of its own.
 */
@PostgresClusterTest(replicas = 2)
class FreshApplicationIT {

    private static final Pattern PORT = Pattern.compile("Netty started on port (\\d+)");
    private static final Pattern ACTUATOR = Pattern.compile(
            "(spring-boot-(actuator|health|micrometer)|micrometer-(core|jakarta)|HdrHistogram)[^/]*jar$");
    private static final String MAIN = "com.example.shop.ShopApplication";

    private final PostgresCluster cluster;
    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    private Path folder;

    FreshApplicationIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeAll
    static void build() throws Exception {
        FreshApplication.build();
    }

    @BeforeEach
    void createTable() {
        cluster.primary().execute("CREATE TABLE product (id serial PRIMARY KEY, name text NOT NULL)");
        cluster.awaitReplayed();
    }

    @Test
    void routesWithNothingButPropertiesAlsoWhenItWasProcessedAheadOfTime() throws Exception {
        List<String> properties = new ArrayList<>();
        cluster.servers()
                .forEach(server ->
                        properties.add("--r2dbc.routing.servers.db" + server.number() + ".url=" + server.r2dbcUrl()));
        properties.add("--r2dbc.routing.tokens.keys=k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        List<String> exposed = new ArrayList<>(properties);
        exposed.add("--management.endpoints.web.exposure.include=r2dbcrouting");
        Path processed = processedAheadOfTime(exposed);

        try (Application plain = start("", List.of(), properties);
                Application ahead = start(
                        processed + File.pathSeparator + actuator(), List.of("-Dspring.aot.enabled=true"), exposed)) {
            for (Application application : List.of(plain, ahead)) {
                int port = application.port();
                assertThat(get(port, "/factory")).isEqualTo("io.github.r2dbcrouting.RoutingConnectionFactory");
                assertThat(post(port, "/products?name=lamp")).matches("\\d+");
                await().untilAsserted(() ->
                        assertThat(get(port, "/listing-from-replica")).isEqualTo("true"));
                assertThat(get(port, "/status-from-replica")).isEqualTo("false");
            }
            // requests have sessions, and this one carries no token: from a replica
            await().untilAsserted(() ->
                    assertThat(get(ahead.port(), "/products/count")).isEqualTo("2"));
            assertThat(get(ahead.port(), "/actuator/r2dbcrouting")).contains("\"primary\":\"db0\"");
            assertThat(get(ahead.port(), "/actuator/r2dbcrouting/dashboard")).contains("<title>r2dbc-routing</title>");
            assertThat(get(ahead.port(), "/actuator/r2dbcrouting/dashboard/dashboard.js"))
                    .contains("EventSource");
        }
    }

    @Test
    void isAnyApplicationOfBootsIfRoutingIsNotEnabled() throws Exception {
        try (Application application = start(
                "",
                List.of(),
                List.of(
                        "--r2dbc.routing.enabled=false",
                        "--spring.r2dbc.url=" + cluster.primary().r2dbcUrl()))) {
            int port = application.port();

            assertThat(get(port, "/factory")).isEqualTo("io.r2dbc.pool.ConnectionPool");
            assertThat(post(port, "/products?name=lamp")).matches("\\d+");
            assertThat(get(port, "/listing-from-replica")).isEqualTo("false");
        }
    }

    @Test
    void saysWhatToDoIfThereIsNoServer() throws Exception {
        try (Application application = start("", List.of(), List.of())) {
            await().atMost(Duration.ofSeconds(60)).until(() -> !application.process.isAlive());

            assertThat(application.output())
                    .contains("APPLICATION FAILED TO START", "r2dbc.routing.servers.db0.url=", "Action:");
        }
    }

    /** As the build plugins of Spring Boot do it. */
    private Path processedAheadOfTime(List<String> properties) throws Exception {
        Path sources = Files.createDirectories(folder.resolve("sources"));
        Path classes = Files.createDirectories(folder.resolve("classes"));
        List<String> command =
                new ArrayList<>(List.of(java(), "-cp", classPath(actuator()), "-Dspring.aot.processing=true"));
        command.add("org.springframework.boot.SpringApplicationAotProcessor");
        command.addAll(
                List.of(MAIN, sources.toString(), classes.toString(), classes.toString(), "com.example", "shop"));
        command.addAll(properties);
        Application processor = new Application(command, folder.resolve("aot.log"));
        assertThat(processor.process.waitFor()).as(processor::output).isZero();
        List<String> options = new ArrayList<>(List.of("-proc:none", "-nowarn", "-d", classes.toString()));
        options.addAll(List.of("-cp", classPath(actuator())));
        try (Stream<Path> generated = Files.walk(sources)) {
            generated.map(Path::toString).filter(name -> name.endsWith(".java")).forEach(options::add);
        }
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, options.toArray(String[]::new)))
                .as("the generated sources compile")
                .isZero();
        assertThat(options).anyMatch(name -> name.contains("RoutingAutoConfiguration__BeanDefinitions"));
        return classes;
    }

    private Application start(String first, List<String> options, List<String> properties) throws IOException {
        List<String> command = new ArrayList<>(List.of(java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("-cp", classPath(first), MAIN, "--server.port=0", "--spring.main.banner-mode=off"));
        command.addAll(properties);
        return new Application(command, Files.createTempFile(folder, "application", ".log"));
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static String classPath(String first) throws IOException {
        String own = FreshApplication.classPath();
        return first.isEmpty() ? own : first + File.pathSeparator + own;
    }

    /** What the actuator would bring: the application that Maven built has nothing but the starter. */
    private static String actuator() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> ACTUATOR.matcher(entry).find())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private String get(int port, String path) throws Exception {
        return answer(request(port, path).GET());
    }

    private String post(int port, String path) throws Exception {
        return answer(request(port, path).POST(HttpRequest.BodyPublishers.noBody()));
    }

    private static HttpRequest.Builder request(int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(30));
    }

    private String answer(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response::body).isEqualTo(200);
        return response.body();
    }

    /** A process, and what it prints. */
    private static final class Application implements AutoCloseable {

        final Process process;
        private final Path log;

        Application(List<String> command, Path log) throws IOException {
            this.log = log;
            this.process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        }

        int port() {
            return await().atMost(Duration.ofSeconds(90)).until(this::found, port -> port > 0);
        }

        private int found() {
            String output = output();
            assertThat(process.isAlive()).as(output).isTrue();
            Matcher started = PORT.matcher(output);
            return started.find() ? Integer.parseInt(started.group(1)) : 0;
        }

        String output() {
            try {
                return Files.readString(log);
            } catch (IOException unreadable) {
                return "nothing could be read of what it printed: " + unreadable;
            }
        }

        @Override
        public void close() {
            process.destroy();
            var unused = process.onExit()
                    .completeOnTimeout(process, 20, TimeUnit.SECONDS)
                    .thenApply(Process::destroyForcibly)
                    .join();
        }
    }
}
