/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz - what the targets share: the input read byte by byte, zeros when it has ended, and a way to say that something
 * must hold.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t input_byte(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

static inline uint32_t input_u32(struct input *input)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 4; i++)
		value = value << 8 | input_byte(input);
	return value;
}

/* The next bytes, at most; a copy of exactly that size, which the caller frees. */
static inline uint8_t *input_copy(struct input *input, size_t most, size_t *length)
{
	uint8_t *copy;

	*length = most < input->left ? most : input->left;
	copy = malloc(*length ? *length : 1);
	if (!copy)
		abort();
	memcpy(copy, input->at, *length);
	input->at += *length;
	input->left -= *length;
	return copy;
}

/*
 * For what checks, and decides nothing: libFuzzer need not learn what ways there are through it, which would take it longer than all that is
 * tested, and would fill the corpus.
 */
#ifdef __clang__
#define ONLY_CHECKS __attribute__((noinline, no_sanitize("coverage")))
#else
#define ONLY_CHECKS
#endif

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition);                     \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
