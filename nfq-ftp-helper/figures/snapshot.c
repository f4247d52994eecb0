// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot.h"

#include <sched.h>
#include <string.h>

#define TRIES 64

void snapshot_write(atomic_uint *version, atomic_ulong *words, const void *from, size_t count)
{
	const unsigned int before = atomic_load_explicit(version, memory_order_relaxed);

	atomic_store_explicit(version, before + 1, memory_order_relaxed);
	for (size_t i = 0; i < count; i++) {
		unsigned long word;

		memcpy(&word, (const char *)from + i * sizeof(word), sizeof(word));
		atomic_store_explicit(&words[i], word, memory_order_release);
	}
	atomic_store_explicit(version, before + 2, memory_order_release);
}

bool snapshot_read(const atomic_uint *version, const atomic_ulong *words, void *to, size_t count)
{
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		const unsigned int before = atomic_load_explicit(version, memory_order_acquire);

		for (size_t i = 0; i < count; i++) {
			const unsigned long word = atomic_load_explicit(&words[i], memory_order_acquire);

			memcpy((char *)to + i * sizeof(word), &word, sizeof(word));
		}
		if (!(before & 1) && atomic_load_explicit(version, memory_order_relaxed) == before)
			return true;
		sched_yield();
	}
	return false;
}
