package io.github.r2dbcrouting.webflux;

import org.springframework.data.relational.core.sql.LockMode;
import org.springframework.data.relational.repository.Lock;
import org.springframework.data.repository.reactive.ReactiveCrudRepository;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Flux;

/** A repository as any application has. */
interface Notes extends ReactiveCrudRepository<Note, Integer> {

    Flux<Note> findByText(String text);

    @Lock(LockMode.PESSIMISTIC_WRITE)
    Flux<Note> findWithLockById(Integer id);

    /** The level tells whether the annotation had any effect. */
    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    Flux<Note> findAnnotatedById(Integer id);
}
