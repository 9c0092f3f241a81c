/**
 * What a child wrote and no host has stored yet: bytes numbered from 0, the newest in memory, the rest in a file.
 */
import { closeSync, constants, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { MEMORY_MAX_BYTES } from "./wire.ts";

/** What one small chunk costs beside its bytes, so that a child that writes byte by byte stays within the bound. */
const CHUNK_COST_BYTES = 128;
/** `append` takes what it is given: the file has room for a last read beyond the bound, and for a dead child's pipe. */
const BEYOND_BYTES = 4 * 1024 * 1024;

export class Spool implements Disposable {
  /** Bytes [start, end) are held; 0 <= start <= end. */
  #start = 0;
  #end = 0;
  /** Bytes [start, memoryStart) are in the file, if that is not empty; [memoryStart, end) in the chunks. */
  #memoryStart = 0;
  #chunks: Uint8Array[] = [];
  #memoryCost = 0;
  /** Used as a ring: byte n lies at n modulo `#fileBytes`. Opened when first needed. */
  #file: number | null = null;
  readonly #fileBytes: number;
  readonly #folder: string;
  readonly #limitBytes: number;

  constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    this.#limitBytes = Math.max(limitBytes, MEMORY_MAX_BYTES);
    this.#fileBytes = this.#limitBytes + BEYOND_BYTES;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** Stop appending. Also when the disk refuses to take more: then memory is over its bound, by one chunk. */
  get full(): boolean {
    return this.#end - this.#start >= this.#limitBytes || this.#memoryCost > MEMORY_MAX_BYTES;
  }

  /** Beyond `full` there is still room for this much, for the one moment when a writer cannot be made to wait. */
  get brimming(): boolean {
    return this.#end - this.#start >= this.#limitBytes + BEYOND_BYTES / 2;
  }

  append(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#memoryCost += bytes.byteLength + CHUNK_COST_BYTES;
    this.#end += bytes.byteLength;
    this.#relieveMemory();
  }

  /** At most `maxBytes` bytes from this offset, which must be held; empty only at the end. Throws what the disk throws. */
  read(from: number, maxBytes: number): Buffer {
    if (from < this.#memoryStart) return this.#readFile(from, Math.min(maxBytes, this.#memoryStart - from));
    // From the back, because a host that keeps up reads only the newest chunk.
    let index = this.#chunks.length;
    let chunkStart = this.#end;
    while (index > 0 && chunkStart > from) chunkStart -= this.#chunks[--index]?.byteLength ?? 0;
    const skipped = from - chunkStart;
    const length = Math.min(maxBytes, this.#end - from);
    const wanted: Uint8Array[] = [];
    for (let found = -skipped; found < length; index++) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) break;
      wanted.push(chunk);
      found += chunk.byteLength;
    }
    return Buffer.concat(wanted, skipped + length).subarray(skipped);
  }

  /** Bytes before this offset are wanted no more. */
  forget(before: number): void {
    this.#start = Math.min(Math.max(this.#start, before), this.#end);
    let gone = 0;
    for (const chunk of this.#chunks) {
      if (this.#memoryStart + chunk.byteLength > this.#start) break;
      this.#memoryStart += chunk.byteLength;
      this.#memoryCost -= chunk.byteLength + CHUNK_COST_BYTES;
      gone += 1;
    }
    this.#chunks.splice(0, gone);
    // Chunks are given up from the front only, so the file is done with as soon as memory holds all there is.
    if (this.#file !== null && this.#start >= this.#memoryStart) this.#closeFile();
    this.#relieveMemory();
  }

  [Symbol.dispose](): void {
    this.#chunks = [];
    this.#closeFile();
  }

  #relieveMemory(): void {
    if (this.#memoryCost <= MEMORY_MAX_BYTES) return;
    try {
      this.#file ??= openUnnamed(this.#folder);
      let offset = this.#memoryStart;
      for (const chunk of this.#chunks) {
        this.#writeFile(offset, chunk);
        offset += chunk.byteLength;
      }
    } catch {
      // Disk full or broken: all of it is still in memory, `full` says so, and the next call tries again.
      return;
    }
    this.#chunks = [];
    this.#memoryCost = 0;
    this.#memoryStart = this.#end;
  }

  #writeFile(offset: number, bytes: Uint8Array): void {
    for (let written = 0; written < bytes.byteLength;) {
      const at = (offset + written) % this.#fileBytes;
      const length = Math.min(bytes.byteLength - written, this.#fileBytes - at);
      written += writeSync(this.#file ?? -1, bytes, written, length, at);
    }
  }

  #readFile(from: number, length: number): Buffer {
    const at = from % this.#fileBytes;
    const bytes = Buffer.allocUnsafe(Math.min(length, this.#fileBytes - at));
    const got = readSync(this.#file ?? -1, bytes, 0, bytes.byteLength, at);
    if (got === 0) throw new Error("the spool is shorter than what was written to it");
    return bytes.subarray(0, got);
  }

  #closeFile(): void {
    if (this.#file === null) return;
    ftruncateSync(this.#file, 0);
    closeSync(this.#file);
    this.#file = null;
  }
}

let nextFile = 0;

/** A file without a name: when the keeper ends, however it ends, the disk space is free and no output is left behind. */
function openUnnamed(folder: string): number {
  const path = join(folder, `${process.pid}.${nextFile++}`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  return file;
}
