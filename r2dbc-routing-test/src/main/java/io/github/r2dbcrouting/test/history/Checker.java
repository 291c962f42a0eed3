package io.github.r2dbcrouting.test.history;

import java.util.List;

/**
 * Which reads of a history saw less, or other things, than they had to?
 *
 * <p>Three things are looked at. What an answer holds by itself ({@link Answers}): only what was written, in the list's
 * one order. What of the branch that goes on it lacks ({@link Missing}): whatever lies in the past of its session. And
 * what was lost ({@link Losses}), which must stay until the session is told, and must not come back then.
 */
final class Checker {

    private final Index index;
    private final List<Switch> switches;

    Checker(History history) {
        this.index = new Index(history);
        this.switches = history.switches();
    }

    Verdict check() {
        Findings findings = new Findings();
        Answers answers = new Answers(index, findings);
        Missing missing = new Missing(index, findings);
        index.nodes().forEach(node -> noteUnfollowed(node, findings));
        answers.checkWrites();
        index.nodes().forEach(answers::checkValues);
        index.order();
        for (Node node : index.nodes()) {
            for (int key = 0; node.isAnswer() && key < node.operation.keyCount(); key++) {
                if (answers.isInOrder(node, key)) {
                    missing.check(node, key);
                }
            }
        }
        index.sessions().forEach(session -> new Losses(index, switches, findings).check(session));
        return findings.verdict(index.nodes().size(), index.sessions().size());
    }

    private void noteUnfollowed(Node node, Findings findings) {
        if (node.isAnswer() && switches.stream().anyMatch(change -> change.isUnknownTo(node.operation))) {
            node.unfollowed = true;
            findings.addUnfollowed();
        }
    }
}
