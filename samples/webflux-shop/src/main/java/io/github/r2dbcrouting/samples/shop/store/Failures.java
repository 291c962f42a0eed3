package io.github.r2dbcrouting.samples.shop.store;

import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcTransientResourceException;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.reactive.function.client.WebClientException;

/** What does a customer hear when the database could not do what was asked? Whether to try again, and no more. */
@RestControllerAdvice
class Failures {

    @ExceptionHandler({DataAccessException.class, TransactionException.class})
    ResponseEntity<ProblemDetail> failed(Exception failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof PossiblyLostWriteException) {
                return answer(HttpStatus.CONFLICT, "What you did may not have survived a failover: please look");
            }
            if (cause instanceof R2dbcTransientResourceException) {
                return answer(HttpStatus.SERVICE_UNAVAILABLE, "No server could do this just now: please try again");
            }
            if (cause instanceof R2dbcNonTransientResourceException) {
                return answer(HttpStatus.SERVICE_UNAVAILABLE, "A connection was lost: please look whether it was done");
            }
        }
        return answer(HttpStatus.INTERNAL_SERVER_ERROR, "The database could not do this");
    }

    @ExceptionHandler(WebClientException.class)
    ResponseEntity<ProblemDetail> failedElsewhere(WebClientException failure) {
        return answer(HttpStatus.BAD_GATEWAY, "The warehouse could not do this");
    }

    private static ResponseEntity<ProblemDetail> answer(HttpStatus status, String what) {
        return ResponseEntity.status(status).body(ProblemDetail.forStatusAndDetail(status, what));
    }
}
