/**
 * Did every session see what it had to see? Histories of what sessions asked for and were answered, and a checker of the
 * four session guarantees.
 *
 * <pre>{@code
 * HistoryRecorder recorder = new HistoryRecorder();
 *
 * WriteInvocation append = recorder.append(session, key, value);      // before it is sent
 * append.ok();                                                        // or failed(), or unknown()
 * ReadInvocation read = recorder.readLists(session, key);
 * read.ok(List.of(1L, 2L, value));
 *
 * recorder.history().check().verify();                                // an AssertionError explains each violation
 * }</pre>
 *
 * <p>A session is whoever shall see what it has written and read, in whichever processes it runs. Nothing here knows how
 * the system under test keeps its promises: the checker goes by what was asked and answered alone.
 */
@NullMarked
package io.github.r2dbcrouting.test.history;

import org.jspecify.annotations.NullMarked;
