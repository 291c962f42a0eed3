/*
 * Does a session see its own writes, whatever its servers do?
 *
 * A model of the token and failover protocol of r2dbc-routing for the model checker spin: one session, one router, a
 * primary and two replicas that crash, fall behind, are promoted and rebuilt whenever they like. `check` runs it, and
 * every variant with a mechanism taken away, which spin must refute. The properties are the assertions in `read` and
 * `write`; the numbers in brackets are those of the promises in docs/guarantees.md.
 *
 * What is abstracted: a position counts the writes in a history; a write is a number of its own, so that a position
 * which is used twice shows; replication copies one write at a time; one timeline ends in one promotion. What the model
 * does not have: time, several sessions, waiting, more than two timelines.
 *
 * Taken away by -D:
 *   ANY_LIFE        knowledge of a server counts for whatever life it is in                      [1]
 *   NOT_PENDING     reads go to replicas while the session's write has no position                [1]
 *   EARLY_CAPTURE   a position that was asked for before the write had ended settles it           [1]
 *   ANY_SERVER      a position of whichever primary, in whichever life, settles a write untold    [6]
 *   NO_NUDGE        the flush position is taken after a commit that did not wait for the disk     [1]
 *   NUMBERS_ONLY    positions are compared without their timelines                                [5]
 *   LAST_PRIMARY    of two primaries the one that answered last is followed                       [5]
 */

#ifdef NOT_PENDING
#define SETTLED true
#else
#define SETTLED (pending == 0)
#endif

#ifdef EARLY_CAPTURE
#define SENT_IN_TIME true
#else
#define SENT_IN_TIME (ended && sentAfterTheWrite)
#endif

#define SERVERS 3
#define LENGTH 2
#define WRITES 2
#define CRASHES 1
#define NOBODY 7

typedef Server {
  byte log[LENGTH];   /* what the history holds: log[p - 1] is the write at position p */
  byte replayed;      /* the end of what can be seen; of a primary the end of what is written */
  byte safe;          /* the end of what is on the disk: survives a crash */
  byte timeline;
  byte life;
  bit primary
};

Server server[SERVERS];
byte switchedAt;      /* how much of timeline 1 is part of timeline 2 */
byte crashes = 0;
bit promoted = 0;

/* What the router knows: from the last answer of each server, and whom it follows. */
typedef Known {
  byte life;          /* 0: nothing is known */
  byte position;
  byte timeline;
  bit primary
};

Known known[SERVERS];
byte followed = NOBODY;
byte line = 0;        /* the timeline of whoever is followed */
byte newest = 0;      /* ghost: the latest timeline that a primary has answered with */

/* The probe that is under way, one at a time: what was true when it was sent. */
byte probed = NOBODY;
bit sentAfterTheWrite;

/* The session. */
byte written = 0;     /* the number of its last write */
byte pending = 0;     /* the write without a position; 0 if there is none */
bit ended = 0;        /* its outcome is decided */
byte pendingOn;
byte pendingLife;
bit durable;          /* its commit waited for the disk */
byte token = 0;
byte tokenTimeline = 1;
byte mustSee = 0;     /* ghost: its acknowledged writes of which nobody said that they may be lost, one bit for each */

inline any(which) {
  if
  :: which = 0
  :: which = 1
  :: which = 2
  fi
}

inline forget(s, from) {
  for (i : 0 .. LENGTH - 1) {
    if
    :: i >= from -> server[s].log[i] = 0
    :: else
    fi
  }
}

inline replicate() {
  any(s);
  any(t);
  if
  :: s != t && !server[s].primary && server[t].primary && server[s].safe < LENGTH && server[s].safe < server[t].safe &&
     (server[s].timeline == server[t].timeline || server[s].safe <= switchedAt) ->
       server[s].log[server[s].safe] = server[t].log[server[s].safe];
       server[s].safe++;
       server[s].timeline = server[t].timeline
  :: !server[s].primary && server[s].replayed < server[s].safe -> server[s].replayed++
  :: server[s].primary -> server[s].safe = server[s].replayed
  :: else
  fi
}

/* A crash ends every connection: that is what a life is. A replica is back before it has replayed everything again. */
inline crash() {
  any(s);
  if
  :: crashes < CRASHES ->
       crashes++;
       server[s].life++;
       if
       :: server[s].primary -> server[s].replayed = server[s].safe; forget(s, server[s].safe)
       :: !server[s].primary
       :: !server[s].primary -> server[s].replayed = 0
       :: !server[s].primary && server[s].replayed > 1 -> server[s].replayed = 1
       fi
  :: else
  fi
}

/* Nobody stops the old primary: it goes on acknowledging. */
inline promote() {
  any(s);
  if
  :: !promoted && s != 0 ->
       promoted = 1;
       switchedAt = server[s].safe;
       server[s].replayed = server[s].safe;
       server[s].timeline = 2;
       server[s].primary = 1
  :: else
  fi
}

/* The old primary comes back as a copy of the new one. */
inline rebuild() {
  if
  :: promoted && server[0].primary ->
       for (t : 1 .. SERVERS - 1) {
         if
         :: server[t].primary ->
              for (i : 0 .. LENGTH - 1) { server[0].log[i] = server[t].log[i] }
              server[0].safe = server[t].safe;
              server[0].replayed = server[t].safe
         :: else
         fi
       }
       server[0].timeline = 2;
       server[0].primary = 0;
       server[0].life++;
       forget(0, server[0].safe)
  :: else
  fi
}

/* Values that are used within one step only would otherwise tell states apart that are the same. */
#define CLEAR s = 0; t = 0; i = 0

proctype Environment() {
  byte s, t, i;
  do
  :: atomic { replicate(); CLEAR }
  :: atomic { crash(); CLEAR }
  :: atomic { promote(); CLEAR }
  :: atomic { rebuild(); CLEAR }
  od
}

/* How far a position of a timeline reaches on the followed line; 0 if it is not on it, beyond the switch. */
inline place(at, branch, onLine) {
  if
#ifdef NUMBERS_ONLY
  :: true -> onLine = at
#else
  :: branch == line -> onLine = at
  :: branch < line && at <= switchedAt -> onLine = at
  :: else -> onLine = 0
#endif
  fi
}

/* The session goes on from a position of the primary; what it was not told of before may be lost with what it held. */
inline goOn(at, branch) {
  token = at;
  tokenTimeline = branch
}

inline follow(s) {
  if
  :: server[s].primary && server[s].timeline > newest -> newest = server[s].timeline
  :: else
  fi;
  if
  :: !server[s].primary
#ifdef LAST_PRIMARY
  :: server[s].primary -> followed = s; line = server[s].timeline
#else
  :: server[s].primary && server[s].timeline >= line -> followed = s; line = server[s].timeline
  :: server[s].primary && server[s].timeline < line
#endif
  fi
}

/* The answer of the followed primary gives the pending write its position. */
inline settle(s, at) {
  if
  :: pending != 0 && s == followed && SENT_IN_TIME ->
       if
#ifdef ANY_SERVER
       :: true
#else
       :: s == pendingOn && server[s].life == pendingLife
       :: !(s == pendingOn && server[s].life == pendingLife) -> mustSee = mustSee & ~(1 << pending)
#endif
       fi;
       place(token, tokenTimeline, reached);
       if
       :: reached < token -> mustSee = 0; goOn(at, server[s].timeline)
       :: reached == token && at >= token -> goOn(at, server[s].timeline)
       :: else
       fi;
       pending = 0
  :: else
  fi
}

inline answer() {
  position = server[probed].replayed;
  if
  :: server[probed].primary ->
#ifndef NO_NUDGE
       if
       :: pending != 0 && !durable -> server[probed].safe = server[probed].replayed
       :: else
       fi;
#endif
       position = server[probed].safe
  :: else
  fi;
  known[probed].life = server[probed].life;
  known[probed].position = position;
  known[probed].timeline = server[probed].timeline;
  known[probed].primary = server[probed].primary;
  follow(probed);
  settle(probed, position);
  probed = NOBODY
}

proctype Router() {
  byte s, i, position, reached;
  do
  :: atomic {
       probed == NOBODY ->
         any(s);
         probed = s;
         sentAfterTheWrite = (pending != 0 && ended);
         if
         :: !server[s].primary -> answer(); i = 0; position = 0; sentAfterTheWrite = 0
         :: else
         fi;
         s = 0
     }
  :: atomic { probed != NOBODY -> answer(); s = 0; i = 0; position = 0; reached = 0; sentAfterTheWrite = 0 }
  od
}

/* Sent to the followed primary, over a connection of its present life. */
inline write() {
  atomic {
    pending == 0 && written < WRITES && followed != NOBODY && server[followed].primary ->
      written++;
      pending = written;
      ended = 0;
      pendingOn = followed;
      pendingLife = server[followed].life;
      assert(server[pendingOn].timeline >= newest)                                 /* [5] */
  }
  atomic {
    if
    :: server[pendingOn].life == pendingLife && server[pendingOn].primary && server[pendingOn].replayed < LENGTH ->
         server[pendingOn].log[server[pendingOn].replayed] = pending;
         server[pendingOn].replayed++;
         mustSee = mustSee | (1 << pending);
         if
         :: durable = 1; server[pendingOn].safe = server[pendingOn].replayed
         :: durable = 0
         fi
    :: else -> durable = 0
    fi;
    ended = 1
  }
}

inline read() {
  atomic {
    any(r);
    lent = 0;
    if
    :: known[r].life != 0 && !known[r].primary && line != 0 && SETTLED ->
         place(token, tokenTimeline, needed);
         if
         :: needed < token ->
              /* possibly lost: the session is told, and goes on from the primary's position */
              if
              :: known[followed].life != 0 -> mustSee = 0; goOn(known[followed].position, known[followed].timeline)
              :: else
              fi
         :: else ->
              place(known[r].position, known[r].timeline, reached);
              if
              :: reached >= needed && (reached > 0 || known[r].position == 0) ->
                   connectionLife = server[r].life;
#ifdef ANY_LIFE
                   lent = 1
#else
                   if
                   :: connectionLife == known[r].life -> lent = 1
                   :: else ->
                        /* opened in another life: its own first position counts */
                        place(server[r].replayed, server[r].timeline, reached);
                        lent = (reached >= needed && !server[r].primary)
                   fi
#endif
              :: else
              fi
         fi
    :: else
    fi;
    needed = 0;
    reached = 0;
    if
    :: lent
    :: else -> r = 0; connectionLife = 0
    fi
  }
  atomic {
    if
    :: lent && server[r].life == connectionLife ->
         seen = 0;
         for (i : 0 .. LENGTH - 1) {
           if
           :: i < server[r].replayed -> seen = seen | (1 << server[r].log[i])
           :: else
           fi
         }
         assert((mustSee & ~seen) == 0)                                           /* [1] [5] [6] */
    :: else
    fi;
    lent = 0; r = 0; i = 0; seen = 0; connectionLife = 0
  }
}

proctype Session() {
  byte r, i, needed, reached, connectionLife, seen;
  bit lent;
  do
  :: write()
  :: read()
  od
}

init {
  byte s;
  atomic {
    for (s : 0 .. SERVERS - 1) {
      server[s].timeline = 1;
      server[s].life = 1
    }
    server[0].primary = 1;
    s = 0;
    run Environment();
    run Router();
    run Session()
  }
}
