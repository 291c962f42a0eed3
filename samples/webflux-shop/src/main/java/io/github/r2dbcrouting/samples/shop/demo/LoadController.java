package io.github.r2dbcrouting.samples.shop.demo;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** How many users shall there be, and what have they seen so far? */
@RestController
@RequestMapping("/demo/load")
class LoadController {

    private final Load load;

    /**
     * How many there are, and what they have seen.
     *
     * @param users how many are shopping
     * @param counts what they have seen
     */
    record View(int users, Tally.Counts counts) {}

    LoadController(Load load) {
        this.load = load;
    }

    @GetMapping
    View now() {
        Load.Standing standing = load.standing();
        return new View(standing.users(), standing.tally().counts());
    }

    @PostMapping
    View change(@RequestParam int users) {
        if (users < 0 || users > Load.MOST_USERS) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "users must be 0 to " + Load.MOST_USERS);
        }
        load.users(users);
        return now();
    }
}
