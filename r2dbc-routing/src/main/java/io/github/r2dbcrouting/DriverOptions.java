package io.github.r2dbcrouting;

import java.util.Map;
import java.util.Set;

/** Which options are the driver's, and are handed on to it for each server? */
final class DriverOptions {

    private DriverOptions() {}

    /** The driver's options that mean the same for one server as for several. */
    static final Set<String> HANDED_ON = Set.of(
            "user",
            "password",
            "database",
            "applicationName",
            "autodetectExtensions",
            "compatibilityMode",
            "connectTimeout",
            "currentSchema",
            "errorResponseLogLevel",
            "extensions",
            "fetchSize",
            "forceBinary",
            "lockWaitTimeout",
            "loopResources",
            "noticeLogLevel",
            "options",
            "preferAttachedBuffers",
            "preparedStatementCacheQueries",
            "schema",
            "ssl",
            "sslCert",
            "sslContextBuilderCustomizer",
            "sslHostnameVerifier",
            "sslKey",
            "sslMode",
            "sslmode",
            "sslNegotiation",
            "sslnegotiation",
            "sslPassword",
            "sslRootCert",
            "sslSni",
            "statementTimeout",
            "tcpKeepAlive",
            "tcpNoDelay",
            "timeZone");

    /** The driver's options that make no sense above several servers, and why. */
    static final Map<String, String> REFUSED = Map.of(
            "hostRecheckTime", "the router knows itself which server is what",
            "loadBalanceHosts", "the router spreads reads itself",
            "targetServerType", "the router knows itself which server is what",
            "socket", "several servers do not share a socket: name their hosts");
}
