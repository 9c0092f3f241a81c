/** Those who follow the feed: told what is new, or, when they were slow, given what they missed at once. */
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { FeedShelf, FeedSink } from "../core/ports.ts";

export interface Feed {
  /** Facts that are stored. */
  published(facts: readonly FeedEntry[]): void;
  follow(from: number, sink: FeedSink): { readonly answer: { facts: FeedEntry[]; last: number }; readonly following: Disposable & { pump(): void } };
}

export function makeFeed(shelf: FeedShelf): Feed {
  const followers = new Set<{ cursor: number; readonly sink: FeedSink }>();

  return {
    published(facts) {
      const newest = facts.at(-1)?.seq ?? 0;
      for (const follower of followers) {
        if (!follower.sink.ready()) continue;
        follower.sink.facts(follower.cursor + 1 === facts[0]?.seq ? facts : shelf.after(follower.cursor));
        follower.cursor = newest;
      }
    },
    follow(from, sink) {
      const facts = shelf.after(from);
      const follower = { cursor: facts.at(-1)?.seq ?? shelf.last(), sink };
      followers.add(follower);
      return {
        answer: { facts, last: follower.cursor },
        following: {
          pump() {
            const missed = shelf.after(follower.cursor);
            const last = missed.at(-1)?.seq;
            if (last === undefined || !sink.ready()) return;
            follower.cursor = last;
            sink.facts(missed);
          },
          [Symbol.dispose]: () => void followers.delete(follower),
        },
      };
    },
  };
}
