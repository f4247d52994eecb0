/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot - something that one thread writes and others read whole, without a lock: the writer never waits, and a reader that meets
 * a change tries again, a bounded number of times (a sequence lock).
 *
 * It is written by words with release and read with acquire order, so each reader of a word of the new content sees the odd version
 * that was written before it, too.
 */
#ifndef FIGURES_SNAPSHOT_H
#define FIGURES_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Words for something of a type whose size is a multiple of a word's. */
#define SNAPSHOT_WORDS(type) (sizeof(type) / sizeof(unsigned long))

/* One thread's. */
void snapshot_write(atomic_uint *version, atomic_ulong *words, const void *from, size_t count);

/* Return: false: it was being written each time. */
bool snapshot_read(const atomic_uint *version, const atomic_ulong *words, void *to, size_t count);

#endif
