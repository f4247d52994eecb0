/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * large - what is allocated anew for each input, and is so large that ASan maps it for itself and takes it back: that takes longer than all that is
 * done with it. Such a place is allocated once and kept, and belongs to nobody while it is given back, which it stays until the input's end: who
 * reads or writes it then is found out as ever, and so is who reads behind its end. At an input's end all of them have to be given back.
 *
 * The linker puts these in the place of malloc(), calloc(), realloc() and free() (Makefile, LARGE); what is not large, and what libraries allocate, is none of theirs.
 */
#ifndef FUZZ_LARGE_H
#define FUZZ_LARGE_H

#include "fuzz.h"

#include <stdbool.h>

#define LARGE_LEAST  65536
#define LARGE_PLACES 8
#define LARGE_FILLED 4096 /* bytes that are not what they were: as many as ASan fills, and with what it does */
#define LARGE_FILL   0xbe

static struct large {
	void *at;
	size_t size;
	bool used;  /* by this input */
	bool taken; /* and not given back yet */
} large_places[LARGE_PLACES];

/* ASan's; none without it. */
void __asan_poison_memory_region(const volatile void *at, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *at, size_t size) __attribute__((weak));

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);
void __real_free(void *at);
void __wrap_free(void *at);

/* A place of just this size that this input has not had yet: a new one, where there is none. */
static inline struct large *large_place(size_t size)
{
	struct large *place = large_places;

	while (place->at && (place->used || place->size != size)) {
		place++;
		MUST(place < large_places + LARGE_PLACES);
	}
	if (!place->at)
		*place = (struct large){ .at = __real_malloc(size), .size = size };
	MUST(place->at);
	return place;
}

void *__wrap_malloc(size_t size)
{
	struct large *place;

	if (size < LARGE_LEAST)
		return __real_malloc(size);
	place = large_place(size);
	place->used = place->taken = true;
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(place->at, place->size);
	memset(place->at, LARGE_FILL, LARGE_FILLED);
	return place->at;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *at;

	if (count != 1 || size < LARGE_LEAST)
		return __real_calloc(count, size);
	at = __wrap_malloc(size);
	memset(at, 0, size);
	return at;
}

static inline struct large *large_find(const void *at)
{
	for (struct large *place = large_places; at && place < large_places + LARGE_PLACES; place++)
		if (place->at == at)
			return place;
	return NULL;
}

/* Nobody makes one of another size of what is large. */
void *__wrap_realloc(void *at, size_t size)
{
	MUST(!large_find(at));
	return __real_realloc(at, size);
}

void __wrap_free(void *at)
{
	struct large *place = large_find(at);

	if (!place) {
		__real_free(at);
		return;
	}
	MUST(place->taken);
	place->taken = false;
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(at, place->size);
}

static inline void large_check(void)
{
	for (struct large *place = large_places; place < large_places + LARGE_PLACES; place++) {
		MUST(!place->taken);
		place->used = false;
	}
}

#endif
