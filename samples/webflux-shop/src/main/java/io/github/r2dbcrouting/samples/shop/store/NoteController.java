package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Mono;

/** What does the customer want the courier to know? Saved by one request, read back by the next. */
@RestController
@RequestMapping("/api/note")
class NoteController {

    private static final int LONGEST = 200;

    private final Notes notes;

    /**
     * What is saved.
     *
     * @param text the words
     */
    record Words(String text) {}

    /**
     * What a read must not be behind.
     *
     * @param revision how often it was saved
     */
    record Saved(long revision) {}

    NoteController(Notes notes) {
        this.notes = notes;
    }

    @PutMapping
    Mono<Saved> save(@RequestAttribute(Customer.ATTRIBUTE) String customer, @RequestBody Words words) {
        if (words.text().length() > LONGEST) {
            return Mono.error(() -> new ResponseStatusException(
                    HttpStatus.BAD_REQUEST, "a note has at most " + LONGEST + " characters"));
        }
        return notes.save(customer, words.text()).map(Saved::new);
    }

    @GetMapping
    Mono<Note> load(@RequestAttribute(Customer.ATTRIBUTE) String customer) {
        return notes.load(customer);
    }
}
