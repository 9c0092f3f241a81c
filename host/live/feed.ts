/** Those who follow the feed: told what is new, or, when they were slow, given what they missed at once. */
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import { FEED_CHARS } from "@flybridge/protocol/limits.ts";
import type { FeedShelf, FeedSink } from "../core/ports.ts";

export interface Feed {
  /** Facts that are stored. */
  published(facts: readonly FeedEntry[]): void;
  follow(
    from: number,
    sink: FeedSink,
  ): { readonly answer: { facts: FeedEntry[]; last: number }; readonly following: Disposable & { pump(): void } };
}

interface Follower {
  /** The newest fact it was given. */
  cursor: number;
  readonly sink: FeedSink;
}

export function makeFeed(shelf: FeedShelf): Feed {
  const followers = new Set<Follower>();

  const tell = (follower: Follower, missed: readonly FeedEntry[]): void => {
    let rest = missed;
    while (rest.length > 0 && follower.sink.ready()) {
      const part = partOf(rest);
      rest = rest.slice(part.length);
      follower.cursor = part.at(-1)?.seq ?? follower.cursor;
      follower.sink.facts(part);
    }
  };

  return {
    published(facts) {
      for (const follower of followers) {
        if (!follower.sink.ready()) continue;
        // What comes right after what it has needs no look into the store.
        tell(follower, follower.cursor + 1 === facts[0]?.seq ? facts : shelf.after(follower.cursor));
      }
    },
    follow(from, sink) {
      // A number that this host has not given is of another life of it (a restored backup): then all is new.
      const missed = shelf.after(from <= shelf.last() ? from : 0);
      const facts = partOf(missed);
      const cursor = facts.length < missed.length ? (facts.at(-1)?.seq ?? from) : shelf.last();
      const follower: Follower = { cursor, sink };
      followers.add(follower);
      return {
        answer: { facts, last: follower.cursor },
        following: {
          pump() {
            if (sink.ready()) tell(follower, shelf.after(follower.cursor));
          },
          [Symbol.dispose]: () => void followers.delete(follower),
        },
      };
    },
  };
}

/** As many of the first facts as one message should hold; one at least. */
function partOf(facts: readonly FeedEntry[]): FeedEntry[] {
  let chars = 0;
  const over = facts.findIndex((fact, at) => (chars += JSON.stringify(fact).length) > FEED_CHARS && at > 0);
  return facts.slice(0, over < 0 ? facts.length : over);
}
